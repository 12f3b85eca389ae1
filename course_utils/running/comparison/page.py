"""A comparison as one page of HTML: sortable, no network, its pictures inside; it can be sent by mail."""

import base64
import hashlib
import os
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from course_utils.running.claims import statement_html
from course_utils.running.comparison.curves import draw_curves
from course_utils.running.comparison.groups import Comparison, Group, Run
from course_utils.running.comparison.table import show_measured, show_value
from course_utils.running.metrics import show_evidence, show_time
from course_utils.running.report_style import STYLE
from course_utils.running.results import executed_path

SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = (a, b) => {
      const x = value(a), y = value(b), numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
      return (up ? 1 : -1) * (numbers ? x - y : x.localeCompare(y));
    };
    table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
  }));
}
"""
MORE_STYLE = """
main { max-width: 80rem; }
th button { all: unset; cursor: pointer; font: inherit; color: inherit; overflow-wrap: anywhere; }
th button:focus-visible { outline: 2px solid var(--link); }
th[aria-sort=ascending] button::after { content: " ↑"; }
th[aria-sort=descending] button::after { content: " ↓"; }
.stopped, .waiting { color: var(--wait); white-space: nowrap; }
"""
STATUS_WORDS = {
    "ok": "✓ ok",
    "up-to-date": "✓ ok",
    "failed": "✗ failed",
    "stopped": "– stopped",
    "waiting": "– not run",
}


def make_page(comparison: Comparison, folder: Path, title: str) -> str:
    """Return the page's text; all that comes from the runs is escaped.

    Args:
        comparison: what it shows.
        folder: where it will be; links to executed notebooks count from there.
        title: its heading.
    """
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    sections = [
        _section("Measured", _groups(comparison)),
        _section("Curves", "".join(_figure(*drawn) for drawn in draw_curves(comparison))),
        _section("Claims", _claims(comparison)),
        _section("Runs", _runs(comparison, folder)),
        _section("The same in all runs", _facts(comparison.common)),
        _section("Environment", _environment(comparison)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{MORE_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(title)}</h1>{_overview(comparison)}</header>\n{''.join(sections)}</main>\n"
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>\n" if body else ""


def _overview(comparison: Comparison) -> str:
    good = sum(run.is_good for run in comparison.runs)
    facts = {
        "runs that ended well": f"{good} of {len(comparison.runs)}",
        "time of all": show_time(sum(run.seconds for run in comparison.runs)),
        "what differs": ", ".join(comparison.differing) or "nothing but the seed",
    }
    return _facts(facts)


def _groups(comparison: Comparison) -> str:
    metrics = comparison.metrics
    head = [*comparison.differing, "runs", *metrics]
    body = [_group(group, comparison.differing, metrics) for group in comparison.groups]
    note = "<p>Mean ± standard deviation over seeds; accuracies are fractions. A click on a heading sorts.</p>"
    return note + _table(head, body) if body else ""


def _group(group: Group, parameters: list[str], metrics: list[str]) -> str:
    cells = [_cell(show_value(group.parameters[name]), group.parameters[name]) for name in parameters]
    cells.append(_cell(str(len(group.runs)), len(group.runs)))
    for name in metrics:
        measured = group.metrics.get(name)
        cells.append(_cell(show_measured(measured), measured.mean if measured else ""))
    return f"<tr>{''.join(cells)}</tr>"


def _claims(comparison: Comparison) -> str:
    """Return each claim once, with how many runs it holds in and the evidence where it does not."""
    by_id: dict[str, list[tuple[Run, dict[str, Any]]]] = {}
    for run in comparison.runs:
        for claim in run.claims:
            by_id.setdefault(claim["id"], []).append((run, claim))
    body = [_claim(found) for found in by_id.values()]
    return _table(["holds in", "claim", "where it does not"], body) if body else ""


def _claim(found: list[tuple[Run, dict[str, Any]]]) -> str:
    claim, against = found[0][1], [(run, claim) for run, claim in found if not claim["holds"]]
    count = len(found) - len(against)
    evidence = "".join(
        f"<li>{escape(run.name)}: "
        + ", ".join(f"{escape(name)} <b>{escape(value)}</b>" for name, value in show_evidence(claim["evidence"]))
        + "</li>"
        for run, claim in against
    )
    details = f"<details><summary>{len(against)} runs</summary><ul>{evidence}</ul></details>" if against else ""
    mark = f'<span class="{"ok" if not against else "failed"}">{count} of {len(found)}</span>'
    return (
        f'<tr><td data-value="{count / len(found)}">{mark}</td><td>{statement_html(claim)}</td><td>{details}</td></tr>'
    )


def _runs(comparison: Comparison, folder: Path) -> str:
    seeds = any("SEED" in run.parameters for run in comparison.runs)
    head = ["run", "status", "time", *comparison.differing, *(["SEED"] if seeds else []), "notebooks", "error"]
    names = [*comparison.differing, *(["SEED"] if seeds else [])]
    return _table(head, [_run(run, names, folder) for run in comparison.runs])


def _run(run: Run, names: list[str], folder: Path) -> str:
    status = f'<span class="{escape(run.status)}">{escape(STATUS_WORDS.get(run.status, run.status))}</span>'
    links = [_link(run, notebook, folder) for notebook in run.notebooks]
    cells = [
        _cell(run.name, run.name),
        f"<td>{status}</td>",
        _cell(show_time(run.seconds), run.seconds),
        *(_cell(show_value(run.parameters.get(name)), run.parameters.get(name)) for name in names),
        f"<td>{', '.join(filter(None, links))}</td>",
        f"<td>{escape(run.error or '')}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _link(run: Run, notebook: str, folder: Path) -> str:
    path = executed_path(run.folder, notebook)
    if not path.exists():
        return ""
    address = quote(Path(os.path.relpath(path, folder)).as_posix())
    return f'<a href="{escape(address)}">{escape(notebook)}</a>'


def _environment(comparison: Comparison) -> str:
    """Return what the runs ran on: each fact's values, most often one."""
    values: dict[str, list[str]] = {}
    for run in comparison.runs:
        for name, value in run.environment.items():
            if value != "" and str(value) not in values.setdefault(name, []):
                values[name].append(str(value))
    return _facts({name: ", ".join(found) for name, found in values.items()})


def _facts(facts: dict[str, Any]) -> str:
    items = [f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items()]
    return f"<dl>{''.join(items)}</dl>" if items else ""


def _figure(caption: str, address: str) -> str:
    words = escape(caption)
    return f'<figure><img alt="{words}" src="{address}"><figcaption>{words}</figcaption></figure>'


def _table(head: list[str], body: list[str]) -> str:
    cells = "".join(f'<th scope="col"><button>{escape(name).replace("/", "/<wbr>")}</button></th>' for name in head)
    rows = "".join(body)
    return (
        f'<div class="wide"><table class="sortable"><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(shown: str, value: Any) -> str:
    return f'<td class="number" data-value="{escape("" if value is None else str(value))}">{escape(shown)}</td>'
