"""`python -m benchmarks [NAME …]`: race all comparisons, or the named ones, and write runs/bench/summary.json.

`python -m benchmarks growth` measures how time and memory grow instead; it has no peers.
"""

import importlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec

from rich.console import Console
from rich.table import Table

from benchmarks.timing import Comparison, DisagreementError
from course_utils.errors import CourseError
from course_utils.paths import project_root, write_text
from course_utils.progress import STYLE_VARIABLE

# a comparison is a function of this name, in this module
COMPARISONS = {
    "views_vs_kornia": "views",
    "views_vs_lightly_loader": "views",
    "views_vs_torchvision_loader": "views",
    "step_vs_bare_encoder": "training",
    "small_step_vs_bare_encoder": "training",
    "resnet18_step_vs_bare_encoder": "training",
    "linear_probe_vs_sklearn": "probes",
    "nt_xent_vs_lightly": "losses",
    "masked_words_vs_transformers": "language",
    "simclr_views_vs_lightly": "pretraining",
    "simclr_views_vs_lightly_same_precision": "pretraining",
    "simclr_accuracy_100s_vs_lightly_resnet18": "pretraining",
    "simclr_accuracy_300s_vs_kmeans": "pretraining",
    "simclr_all_blocks_300s_vs_kmeans": "pretraining",
}
# not races: a function of this module each, called by itself
STUDIES = {"growth": "growth", "many_views": "growth"}
PEERS = ("kornia", "lightly", "transformers")
FAILED, WRONG_USE = 1, 2


def main(names: Sequence[str]) -> int:
    """Run the comparisons; return 0 all well, 1 if ours and a peer disagree, 2 wrong use (nothing was run)."""
    problem = find_problem(names)
    if problem:
        return complain(problem, WRONG_USE)
    os.environ[STYLE_VARIABLE] = "none"  # a progress bar would be timed too
    try:
        if names and names[0] in STUDIES:
            getattr(importlib.import_module(f"benchmarks.{STUDIES[names[0]]}"), names[0])()
            return 0
        comparisons = [run(name) for name in names or COMPARISONS]
        save(comparisons)
    except DisagreementError as error:
        return complain(str(error), FAILED)
    except CourseError as error:
        return complain(str(error), WRONG_USE)
    return 0


def find_problem(names: Sequence[str]) -> str:
    """Return in a sentence what keeps us from starting, or ""."""
    unknown = [name for name in names if name not in {**COMPARISONS, **STUDIES}]
    if unknown:
        return f"there is no comparison {unknown[0]!r}: choose from {', '.join([*COMPARISONS, *STUDIES])}"
    studies = [name for name in names if name in STUDIES]
    if studies:
        return f"{studies[0]!r} is no comparison: run it by itself" if len(names) > 1 else ""
    missing = [peer for peer in PEERS if find_spec(peer) is None]
    if missing:
        return f"{' and '.join(missing)} must be installed to race against: pip install -e .[bench]"
    return ""


def complain(sentence: str, status: int) -> int:
    """Say what went wrong on stderr and return the status."""
    print(f"error: {sentence}", file=sys.stderr)
    return status


def run(name: str) -> Comparison:
    """Run one comparison and say what came out."""
    module = importlib.import_module(f"benchmarks.{COMPARISONS[name]}")
    with Console(stderr=True).status(f"{name} …"):
        comparison: Comparison = getattr(module, name)()
    return comparison


def save(comparisons: Sequence[Comparison]) -> None:
    """Print the table and write the summary, whole or not at all."""
    from course_utils.devices import make_fabric
    from course_utils.running.environment import describe_environment

    path = project_root() / "runs" / "bench" / "summary.json"
    summary = {
        "schema": 1,
        "environment": describe_environment(make_fabric()),
        "comparisons": [asdict(comparison) for comparison in comparisons],
    }
    write_text(path, json.dumps(summary, indent=2) + "\n")
    console = Console()
    console.print(as_table(comparisons))
    console.print(f"written to {path}", highlight=False, soft_wrap=True)


def as_table(comparisons: Sequence[Comparison]) -> Table:
    """Return the results for the terminal."""
    table = Table(title="Ours and peers, medians of turns taken one after the other")
    for heading in ("comparison", "ours", "peer", "unit", "ratio", "peer is"):
        table.add_column(heading, justify="left" if heading in ("comparison", "unit", "peer is") else "right")
    for row in comparisons:
        ours, peer = (f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in (row.ours, row.peer))
        table.add_row(row.name, ours, peer, row.unit, f"{row.ratio:.2f} ×", row.peer_version)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
