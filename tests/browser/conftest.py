"""JupyterLab in a folder of its own, and a browser that looks at it: Debian's Chromium, driven by Playwright."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import papermill
import pytest
from pages import free_port

from course_utils.paths import notebooks_dir, project_root
from course_utils.running.profiles import read_profile

SETTINGS = {
    "notebook-extension/tracker.jupyterlab-settings": '{"windowingMode": "none"}',  # cells out of sight exist, too
    "apputils-extension/notification.jupyterlab-settings": '{"fetchNews": "false", "checkForUpdates": false}',
}
PATIENCE = 120  # seconds that a server or a page may take on a busy machine


@pytest.fixture(scope="session")
def chromium():
    """Return the browser's path, or say what is missing."""
    pytest.importorskip("playwright", reason="the browser's test needs playwright: pip install playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("the browser's test needs Chromium: apt install chromium")
    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory, chromium):
    """Start JupyterLab on localhost with a token, once for all of these tests."""
    folder = tmp_path_factory.mktemp("lab")
    home = folder / "home"
    for name, text in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = {"CONFIG_DIR": "config", "DATA_DIR": "data", "RUNTIME_DIR": "runtime"}
    environment = {
        **os.environ,
        **{f"JUPYTER_{name}": str(home / folder) for name, folder in folders.items()},
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "HOME": str(home),
        "PYTHONPATH": str(project_root()),  # this tree's package, also where another one is installed
        "OMP_NUM_THREADS": "1",  # two threads of a busy machine mostly wait for each other
    }
    (folder / "work").mkdir()
    port = free_port()
    token = secrets.token_hex(16)
    options = ["--no-browser", "--allow-root", f"--port={port}", "--port-retries=0", "--expose-app-in-browser"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options, f"--IdentityProvider.token={token}"],
            cwd=folder / "work",
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Lab(folder / "work", f"http://127.0.0.1:{port}", token)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Lab:
    """A running JupyterLab."""

    def __init__(self, folder: Path, address: str, token: str) -> None:
        self.folder, self.address, self.token = folder, address, token

    def prepare(self, name: str, run_dir: Path, **parameters: Any) -> None:
        """Put a notebook of the course into `folder`, with the smoke profile's parameters and these."""
        smoke = read_profile("smoke", notebooks_dir() / "profiles").values[name]
        papermill.execute_notebook(
            notebooks_dir() / f"{name}.ipynb",
            self.folder / f"{name}.ipynb",
            {**smoke, **parameters, "RUN_DIR": str(run_dir)},
            prepare_only=True,
            progress_bar=False,
        )

    def open(self, page, notebook: str, kernel: bool = True) -> None:
        """Open a notebook of `folder` in the page; with `kernel`, wait until it is ready."""
        from playwright.sync_api import Error

        end = time.monotonic() + PATIENCE
        while True:
            try:
                page.goto(f"{self.address}/lab/tree/{notebook}?token={self.token}&reset")
                break
            except Error:  # the server is not up yet
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=1000 * PATIENCE)
        if not kernel:
            return
        status = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        page.wait_for_function(f"{status} === 'idle'", timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def browser(chromium):
    """Start a browser without a window for a module's tests; Playwright's loop would disturb those of others."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """Yield a page of its own, with no memory of others."""
    with browser.new_context(viewport={"width": 1250, "height": 1000}) as context:
        page = context.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.set_default_navigation_timeout(1000 * PATIENCE)
        yield page


@pytest.fixture
def troubles(page):
    """Return a list that fills with what goes wrong in the page, or is asked for elsewhere than on this machine."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: found.append(request.url) if is_elsewhere(request.url) else None)
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.route(is_elsewhere, lambda route: route.abort())
    return found


def is_elsewhere(address):
    return address.startswith("http") and "//127.0.0.1" not in address
