"""Links: where a repository's file lies on the site, and whether all that the pages name is there."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from course_utils.errors import CourseError

CODE = re.compile(r"(^(```|~~~).*?^\2[^\n]*$|`[^`\n]+`)", re.S | re.M)
LINK = re.compile(r"\[([^\[\]]*)\]\((?![a-z]+:|/|#)([^)#\s]+)(#[^)\s]*)?\)")
PAGES = (".ipynb", ".md")  # what Sphinx takes for pages, wherever it lies


@dataclass
class Layout:
    """Which page of the site stands for which file of the repository."""

    root: Path
    pages: dict[str, str]  # path in the repository → path in the site's source
    files: set[str] = field(default_factory=set)  # other files of the repository that pages link to

    def relocate(self, text: str, here: str, page: str) -> str:
        """Return Markdown with its relative links as they are on the site.

        Args:
            text: Markdown.
            here: the path of the text's file in the repository.
            page: its page's path in the site's source.

        Raises:
            CourseError: a link leads nowhere.
        """

        def move(match: re.Match[str]) -> str:
            path = os.path.normpath(PurePosixPath(here).parent / unquote(match[2]))
            target = self._target(path, here)
            if target.startswith("files/") and target.endswith(PAGES):
                return f"{{download}}`{' '.join(match[1].split())} <{relative(target, page)}>`"
            return f"[{match[1]}]({relative(target, page)}{match[3] or ''})"

        return outside_code(text, lambda prose: LINK.sub(move, prose))

    def _target(self, path: str, here: str) -> str:
        if path in self.pages:
            return self.pages[path]
        if not (self.root / path).is_file():
            raise CourseError(f"{here}: the link to {path} leads to no file")
        self.files.add(path)
        return f"files/{path}"


def relative(target: str, page: str) -> str:
    """Return the way from a page to a target, both paths in the site's source."""
    return PurePosixPath(os.path.relpath(target, PurePosixPath(page).parent)).as_posix()


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return Markdown with its prose changed, and code, fenced or inline, as it is."""
    parts, end = [], 0
    for match in CODE.finditer(text):
        parts += [change(text[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*parts, change(text[end:])])


class _Page(HTMLParser):
    """What a page links to, and which anchors it has."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag's link and anchor."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            if (name, tag) in {("href", "a"), ("href", "link"), ("src", "img"), ("src", "script")} and value:
                self.links.append(value)


def broken_links(folder: Path) -> list[str]:
    """Return what the pages in a folder link to and is not there; addresses elsewhere are not asked."""
    pages = {path.resolve(): read_page(path) for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts}
    return [problem for path, page in pages.items() for problem in _broken(path, page, pages, folder)]


@cache
def read_page(path: Path) -> _Page:
    """Return a page's links and anchors."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _broken(path: Path, page: _Page, pages: dict[Path, _Page], folder: Path) -> Iterator[str]:
    for link in dict.fromkeys(page.links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        name = path.relative_to(folder.resolve())
        if not target.is_file():
            yield f"{name}: {link} leads to no file"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{name}: {link} leads to no place in its page"
