"""The glossary, and a link to it where a page uses one of its words for the first time."""

import re
from dataclasses import dataclass

from course_utils.errors import CourseError
from course_utils.site.links import outside_code

LINE = re.compile(r"^- \*\*(.+?)\*\*(?: \((.+?)\))?: (.+)$", re.M)
NEVER = "—"
NO_PROSE = re.compile(
    r"(^#.*$|!?\[[^\]]*\]\([^)]*\)|\[[^\]]*\]|<[^>]+>|https?://\S+|^\|.*$)", re.M
)  # links, headings, …


@dataclass(frozen=True)
class Term:
    """A word with its other forms."""

    name: str
    forms: tuple[str, ...]
    meaning: str


def read_glossary(text: str) -> list[Term]:
    """Return the terms of docs/glossary.md.

    Raises:
        CourseError: a form stands there twice.
    """
    terms = [
        Term(name, () if forms == NEVER else (name, *filter(None, re.split(r",\s*", forms))), meaning)
        for name, forms, meaning in LINE.findall(text)
    ]
    forms = [form.lower() for term in terms for form in term.forms]
    if twice := sorted({form for form in forms if forms.count(form) > 1}):
        raise CourseError(f"the glossary has {' and '.join(twice)} twice: leave one out")
    return terms


def glossary_page(text: str) -> str:
    """Return docs/glossary.md as MyST, in which every term has a place to link to."""

    def directive(match: re.Match[str]) -> str:
        entries = "\n\n".join(f"{term.name}\n  {term.meaning}" for term in read_glossary(match.group()))
        return f"```{{glossary}}\n{entries}\n```\n"

    page = re.sub(r"(?:^- \*\*.+\n?)+", directive, text, flags=re.M)
    return re.sub(r"\s*\(For authors:.*?\)", "", page, flags=re.S)


class FirstUses:
    """Links each term once on a page, where it comes first."""

    def __init__(self, terms: list[Term]) -> None:
        self.names = {form.lower(): term.name for term in terms for form in term.forms}
        forms = sorted(self.names, key=len, reverse=True)
        self.pattern = re.compile(rf"(?<![\w/-])(?:{'|'.join(map(re.escape, forms))})(?![\w-])", re.I)
        self.linked: set[str] = set()

    def link(self, text: str) -> str:
        """Return a piece of the page's Markdown with links at first uses; headings, links and code are left alone."""
        return outside_code(text, self._link_prose)

    def _link_prose(self, prose: str) -> str:
        parts = NO_PROSE.split(prose)  # every second part is one that is left alone
        return "".join(
            part if index % 2 else self.pattern.sub(self._link_word, part) for index, part in enumerate(parts)
        )

    def _link_word(self, match: re.Match[str]) -> str:
        name = self.names[" ".join(match.group().lower().split())]
        if name in self.linked:
            return match.group()
        self.linked.add(name)
        return f"{{term}}`{' '.join(match.group().split())} <{name}>`"
