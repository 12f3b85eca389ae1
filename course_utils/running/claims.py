"""What papers say, held against what a notebook measured: its claims as a table, for pages and for terminals."""

import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from course_utils.running.metrics import show_evidence

Claim = Mapping[str, Any]
"""As `Record.claim` keeps it: statement, source, holds, evidence."""

LINE_LENGTH = 100
COLUMNS = ("holds here?", "claim, and who says so", "measured")
LEFT = ' style="text-align: left; vertical-align: top"'  # notebooks put a table's text to the right


class ClaimsTable:
    """Claims with their verdicts; one that does not hold is as plain to see as one that does.

    Args:
        claims: see `Claim`.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = list(claims)

    @property
    def sum(self) -> str:
        """How many hold, in words."""
        if not self.claims:
            return "This notebook makes no claim."
        held = sum(claim["holds"] for claim in self.claims)
        return f"{held} of {len(self.claims)} claims hold in this run."

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self.claims))
        head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        table = f"<table><tr>{head}</tr>{rows}</table>" if rows else ""
        return f"<p>{escape(self.sum)}</p>{table}"

    def __repr__(self) -> str:
        """Return the claims as text."""
        return "\n".join([self.sum, *map(_lines, self.claims)])


def statement_html(claim: Claim) -> str:
    """Return a claim and, smaller below it, who says so; escaped."""
    return f"{escape(claim['statement'])}<br><small>{escape(claim['source'])}</small>"


def _verdict(claim: Claim) -> str:
    return "✓ yes" if claim["holds"] else "✗ no"


def _row(claim: Claim) -> str:
    evidence = "<br>".join(
        f"{escape(name)}: <b>{escape(value)}</b>" for name, value in show_evidence(claim["evidence"])
    )
    cells = (f'<b style="white-space: nowrap">{_verdict(claim)}</b>', statement_html(claim), evidence)
    return "<tr>" + "".join(f"<td{LEFT}>{cell}</td>" for cell in cells) + "</tr>"


def _lines(claim: Claim) -> str:
    evidence = "; ".join(f"{name} {value}" for name, value in show_evidence(claim["evidence"]))
    parts = (f"{_verdict(claim)}: {claim['statement']}", claim["source"], evidence)
    return "\n".join(
        textwrap.fill(part, LINE_LENGTH, initial_indent="" if number == 0 else "    ", subsequent_indent="    ")
        for number, part in enumerate(parts)
        if part
    )
