"""A reader without Python: the website's pages load, are whole, can be searched, and can be read by everyone."""

import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_utils.errors import CourseError
from course_utils.paths import project_root
from course_utils.site import build_site

pytestmark = pytest.mark.browser
FREE_PORT = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"
WIDTHS = (1280, 768, 390)
BROKEN = "[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"
UNSAID = "[...document.querySelectorAll('.bd-content img')].filter(image => !image.alt.trim()).map(image => image.src)"
LEVELS = "[...document.querySelectorAll('.bd-content :is(h1,h2,h3,h4,h5,h6)')].map(head => +head.tagName[1])"
MARKUP = r"""
[...document.querySelectorAll('.bd-content article :is(p, li, h1, h2, h3)')]
  .filter(part => /\{term\}|\{download\}|\*\*\S/.test(part.innerText)).map(part => `markup is left: ${part.innerText}`)
"""
NO_CODE = "document.querySelectorAll('article pre').forEach(part => part.remove())"
FEW = "document.querySelectorAll('article section section:nth-of-type(n+3)').forEach(part => part.remove())"


@pytest.fixture(scope="session")
def site(tmp_path_factory, chromium):
    """Build the site once and serve it on this machine; return its folder and address."""
    folder = tmp_path_factory.mktemp("site") / "site"
    try:
        problems = build_site(folder)
    except CourseError as error:
        pytest.fail(str(error), pytrace=False)
    assert problems == [], "no link is broken"
    port = subprocess.run([sys.executable, "-c", FREE_PORT], capture_output=True, text=True, check=True).stdout.strip()
    command = [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        yield folder, f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def troubles(page):
    """Return a list that fills with what goes wrong in the page, or is asked for elsewhere."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: found.append(request.url) if "//127.0.0.1" not in request.url else None)
    page.on("response", lambda answer: found.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.route(lambda url: "//127.0.0.1" not in url, lambda route: route.abort())
    return found


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html") if "_static" not in path.parts)


def axe_findings(page, options=""):
    """Return what axe finds serious or critical in a page; it would load style sheets again, from the wrong place."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe comes with pip install axe-playwright-python")
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run({{preload: false, {options}}})")["violations"]
    bad = [item for item in found if item["impact"] in ("serious", "critical")]
    return [f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in bad]


def test_every_page_is_whole_and_can_be_read_by_everyone(page, site, troubles):
    folder, address = site
    problems = {}
    for name in names(folder):
        page.goto(f"{address}/{name}", wait_until="load")
        levels = page.evaluate(LEVELS)
        found = [
            *page.evaluate(BROKEN),
            *(f"no text: {picture}" for picture in page.evaluate(UNSAID)),
            *(f"headings jump {pair}" for pair in itertools.pairwise(levels) if pair[1] > pair[0] + 1),
            *([f"headings begin with {levels[:1]}"] if name != "search.html" and levels[:1] != [1] else []),
            *(page.evaluate(MARKUP) if name.startswith("notebooks/") else []),
        ]
        if name.startswith("api/"):  # all sections are made alike, and axe would take minutes for them
            page.evaluate(FEW)
        if name.startswith("notebooks/0") and not name.startswith("notebooks/01"):
            page.evaluate(NO_CODE)  # one notebook's is looked at
        found += axe_findings(page)
        if found:
            problems[name] = found
    assert problems == {}
    assert troubles == []


@pytest.mark.parametrize("name", ["index", "claims", "notebooks/01_supervised_baselines", "instructor/plans"])
def test_it_can_be_read_in_the_dark(page, site, name):
    _, address = site
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}/{name}.html", wait_until="load")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert axe_findings(page, "runOnly: ['color-contrast']") == []


def test_no_page_is_wider_than_the_screen(page, site):
    _, address = site
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for name in (
            "index.html",
            "claims.html",
            "notebooks/05_simclr.html",
            "api/running.html",
            "instructor/plans.html",
        ):
            page.goto(f"{address}/{name}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


def test_the_search_finds_temperature(page, site, troubles):
    _, address = site
    page.goto(f"{address}/search.html?q=temperature")
    results = page.locator("#search-results li")
    results.first.wait_for()
    assert any("SimCLR" in text for text in results.all_inner_texts())
    assert troubles == []


def test_a_word_leads_to_the_glossary_and_run_this_page_to_the_file(page, site):
    folder, address = site
    page.goto(f"{address}/notebooks/05_simclr.html")
    page.locator(".bd-content a:has(.std-term)").first.click()
    page.wait_for_url("**/glossary.html#term-*")
    page.go_back()
    link = page.get_by_role("link", name="Run this page").get_attribute("href")
    file = (folder / "notebooks" / link).resolve()
    assert file.read_bytes() == (project_root() / "notebooks" / "05_simclr.ipynb").read_bytes()
