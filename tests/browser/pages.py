"""What a learner does in JupyterLab: runs cells and looks at one of them."""

import re


def run_all(page):
    """Execute all cells and wait for the last."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    last = page.locator(".jp-CodeCell").last
    last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=300_000)


def run_down_to(page, source):
    """Execute the cell whose code contains `source` and all above it; return it."""
    cell = cell_with(page, source)
    cell.locator(".jp-InputArea-editor").click()
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-above')")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for(timeout=300_000)
    return cell


def cell_with(page, source):
    """Return the cell whose code contains `source`."""
    return page.locator(".jp-CodeCell", has=page.locator(".jp-InputArea", has_text=source))
