"""A run as one page of HTML: no script, no network, its pictures inside; it can be sent by mail."""

import base64
import re
from html import escape
from pathlib import Path
from typing import Any

from course_utils.paths import write_text
from course_utils.running.claims import statement_html
from course_utils.running.metrics import rows, show_evidence, show_time
from course_utils.running.report_style import STYLE
from course_utils.running.results import executed_path, load_record
from course_utils.running.summary import Entry, Summary, load_summary

STATUS_WORDS = {"ok": "✓ ok", "up-to-date": "✓ up to date", "failed": "✗ failed", "skipped": "– skipped"}


def write_report(run_dir: Path) -> Path:
    """Write `report.html` from a run's summary and records, whole or not at all, and return its path.

    Raises:
        CourseError: there is no run in the folder, or it can't be written to.
    """
    path = run_dir / "report.html"
    write_text(path, make_report(run_dir, load_summary(run_dir)))
    return path


def make_report(run_dir: Path, summary: Summary) -> str:
    """Return the page's text; all that comes from the run is escaped."""
    title = f"Run “{escape(summary['profile'])}”"
    entries = summary["notebooks"]
    sections = [
        _section("Notebooks", _notebooks(run_dir, entries)),
        _section("Measured", _metrics(entries)),
        _section("Claims", _claims(entries)),
        *(_section(escape(entry["name"]), _figures(run_dir, entry)) for entry in entries),
        _section("Parameters", "".join(_parameters(entry) for entry in entries)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{title}</h1>{_environment(summary)}</header>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>\n" if body else ""


def _environment(summary: Summary) -> str:
    facts = {
        "status": summary["status"],
        "time": show_time(summary["seconds"]),
        **summary["environment"],
    }
    facts["commit"] = re.sub(r"^([0-9a-f]{10})[0-9a-f]+", r"\1", str(facts.get("commit", "")))  # the rest says no more
    facts = {name: value for name, value in facts.items() if value != ""}
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in facts.items())
    return f"<dl>{items}</dl>"


def _notebooks(run_dir: Path, entries: list[Entry]) -> str:
    body = [
        _row(
            _link(run_dir, entry["name"]),
            f'<span class="{entry["status"]}">{STATUS_WORDS[entry["status"]]}</span>',
            f'<span class="number">{show_time(entry["seconds"])}</span>',
            escape(entry["error"] or ""),
        )
        for entry in entries
    ]
    return _table(("notebook", "status", "time", ""), body)


def _link(run_dir: Path, name: str) -> str:
    """Return a link to the executed notebook, which lies beside the page, if it is there."""
    shown = escape(name)
    return f'<a href="{shown}.ipynb">{shown}</a>' if executed_path(run_dir, name).exists() else shown


def _metrics(entries: list[Entry]) -> str:
    body = [
        _row(f"<code>{_breakable(name)}</code>", f'<span class="number">{escape(value)}</span>')
        for entry in entries
        for name, value in rows(entry["metrics"])
    ]
    note = "<p>Accuracies are fractions; ± is the standard deviation over seeds.</p>"
    return note + _table(("metric", "value"), body) if body else ""


def _breakable(name: str) -> str:
    """Return a metric's name, to be broken after a slash where the page is narrow."""
    return escape(name).replace("/", "/<wbr>")


def _claims(entries: list[Entry]) -> str:
    body = [_claim(claim) for entry in entries for claim in entry["claims"]]
    return _table(("holds", "claim", "evidence"), body) if body else ""


def _claim(claim: dict[str, Any]) -> str:
    mark, status, words = ("✓", "ok", "holds") if claim["holds"] else ("✗", "failed", "does not hold")
    holds = f'<span class="{status}" title="{words}">{mark}</span>'
    evidence = "<br>".join(f"{escape(name)} <b>{escape(value)}</b>" for name, value in show_evidence(claim["evidence"]))
    return _row(holds, statement_html(claim), evidence)


def _figures(run_dir: Path, entry: Entry) -> str:
    if entry["status"] not in ("ok", "up-to-date"):
        return ""
    record = load_record(run_dir, entry["name"]) or {}
    return "".join(_figure(run_dir / figure["file"], figure["caption"]) for figure in record.get("figures", []))


def _figure(path: Path, caption: str) -> str:
    if not path.is_file():
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    words = escape(caption)
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}"><figcaption>{words}</figcaption></figure>'


def _parameters(entry: Entry) -> str:
    body = [
        _row(f"<code>{escape(name)}</code>", f"<code>{escape(repr(value))}</code>")
        for name, value in entry["parameters"].items()
    ]
    return f"<details><summary>{escape(entry['name'])}</summary>{_table(('name', 'value'), body)}</details>"


def _table(head: tuple[str, ...], body: list[str]) -> str:
    cells = "".join(f'<th scope="col">{title}</th>' for title in head)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
