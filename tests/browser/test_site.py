"""A reader without Python: the website's pages load, are whole, can be searched, and can be read by everyone."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from pages import free_port

from course_utils.errors import CourseError
from course_utils.paths import project_root
from course_utils.site import build_site

pytestmark = pytest.mark.browser
WIDTHS = (390, 768, 1280)  # a phone, a tablet, a laptop
BROKEN = "[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"
UNSAID = "[...document.querySelectorAll('.bd-content img')].filter(image => !image.alt.trim()).map(image => image.src)"
LEVELS = "[...document.querySelectorAll('.bd-content :is(h1,h2,h3,h4,h5,h6)')].map(head => +head.tagName[1])"
MARKUP = r"""
[...document.querySelectorAll('.bd-content article :is(p, li, h1, h2, h3)')]
  .filter(part => /\{term\}|\{download\}|\*\*\S/.test(part.innerText)).map(part => `markup is left: ${part.innerText}`)
"""
NO_CODE = "document.querySelectorAll('article pre').forEach(part => part.remove())"
AT_REST = "*, ::before, ::after { transition: none !important; animation: none !important }"
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
    port = free_port()
    options = ["--bind", "127.0.0.1", "--directory", str(folder)]
    command = [sys.executable, "-u", "-m", "http.server", port, *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert "Serving HTTP" in server.stdout.readline(), "it says so once it listens"
        yield folder, f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=20)


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html") if "_static" not in path.parts)


def width_at(page, width):
    """Return how wide a page is on a screen of a width, and leave it there."""
    page.set_viewport_size({"width": width, "height": 900})
    return page.evaluate("document.documentElement.scrollWidth")


def axe_findings(page, options=""):
    """Return what axe finds serious or critical in a page; it would load style sheets again, from the wrong place."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe comes with pip install axe-playwright-python")
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text(encoding="utf-8"))
    page.add_style_tag(content=AT_REST)  # a button that fades from light to dark has neither's contrast
    found = page.evaluate(f"axe.run({{preload: false, {options}}})")["violations"]
    bad = [item for item in found if item["impact"] in ("serious", "critical")]
    return [f"{item['id']}: {item['nodes'][0]['html'][:200]}" for item in bad]


def test_every_page_is_whole_and_can_be_read_by_everyone(page, site, troubles):
    folder, address = site
    problems = {}
    for name in names(folder):
        page.goto(f"{address}/{name}", wait_until="load")
        too_wide = [width for width in WIDTHS if width_at(page, width) > width]
        levels = page.evaluate(LEVELS)
        found = [
            *page.evaluate(BROKEN),
            *(f"wider than {width}" for width in too_wide),
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
