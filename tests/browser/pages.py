"""What a learner does in JupyterLab: runs cells, looks at one of them, and moves what can be moved."""

import re
import subprocess
import sys
from contextlib import contextmanager

FREE_PORT = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
STDERR = ".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']"
RUN_TIME = 300_000  # milliseconds that a notebook with smoke parameters may take on a busy machine
CHANGE_TIME = 60_000  # milliseconds that a widget may take to answer


def free_port():
    """Return a port that nobody listens on; asked of another process, as sockets are forbidden in this one."""
    return subprocess.run([sys.executable, "-c", FREE_PORT], capture_output=True, text=True, check=True).stdout.strip()


def run_all(page):
    """Execute all cells and wait for the last."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    last = page.locator(".jp-CodeCell").last
    last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=RUN_TIME)


def run_down_to(page, source):
    """Execute the cell whose code contains `source` and all above it; return it."""
    cell = cell_with(page, source)
    cell.locator(".jp-InputArea-editor").click()
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-above')")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=RUN_TIME)
    return cell


def cell_with(page, source):
    """Return the cell whose code contains `source`."""
    return page.locator(".jp-CodeCell", has=page.locator(".jp-InputArea", has_text=source))


@contextmanager
def changing(part, attribute=None):
    """Do something in the block, then wait until a part of the page shows something else than before.

    Args:
        part: its locator, which finds the part anew if it is replaced.
        attribute: what changes, such as "src"; None: the text.
    """
    from playwright.sync_api import expect

    before = part.get_attribute(attribute) if attribute else part.inner_text()
    yield
    said = expect(part)
    if attribute:
        said.not_to_have_attribute(attribute, before, timeout=CHANGE_TIME)
    else:
        said.not_to_have_text(before, use_inner_text=True, timeout=CHANGE_TIME)


def slide(page, cell, number=0, key="ArrowRight"):
    """Move a slider of a cell by one step of the keyboard."""
    cell.locator(".noUi-handle").nth(number).focus()
    page.keyboard.press(key)


def answer_first_question(cell):
    """Choose the first answer of a cell's quiz, and return what is said about it."""
    cell.get_by_role("radio").first.check()
    said = cell.get_by_role("status").first
    said.wait_for()
    return said.inner_text()
