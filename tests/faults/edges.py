"""Every parameter of every notebook at the edges of what it may be: does each run end well, or in one sentence?

    python tests/faults/edges.py [NOTEBOOK ...] [--only PARAMETER,PARAMETER] [--folder runs/edges]

Some 350 smoke runs, one value moved in each: an hour and a half on two cores, so it is no test of `make test`. It
prints each run that failed, and ends with 1 if one of them failed in other than the course's own words.
"""

import argparse
import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from course_utils.errors import CourseError
from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import Notebook, select
from course_utils.running.plan import make_plan
from course_utils.running.profiles import Profile, read_profile

# The least that is allowed, something odd in between, and more than the smoke profile's data hold.
EDGES: dict[str, list[Any]] = {
    "ADAMW_LR": [1e-12, 1.0],
    "ANNOTATORS": [1, 2, 99],
    "BATCH_SIZE": [2, 7, 100_000],
    "BEGINNING": ["", "the", "the " * 500, "\N{SNOWMAN}"],
    "BLOCK_LENGTH": [8, 9, 500],
    "BLUR_PROB": [1.0],
    "CLIP_BATCH_SIZE": [2, 100_000],
    "CLIP_LEARNING_RATE": [1e-12, 1.0],
    "COLOR_STRENGTH": [0.0, 2.0],
    "ENCODER": ["resnet18"],
    "ERROR_RATE": [0.0, 0.5, 0.9, 1.0],
    "FINE_TUNED_LABELS": [[1], [1, 2, 3], [100_000]],
    "FINE_TUNING_SEEDS": [[5], [0, 1, 2]],
    "FINDING": [""],
    "FRAME_SIZE": [16, 40],
    "FRAME_WIDTH": [1, 11],
    "GRAY_PROB": [0.0, 1.0],
    "GRID": [1, 3, 8],
    "HEAD": ["linear", "none"],
    "HIDDEN_DIM": [2],
    "HIDDEN_SHARE": [0.01, 0.99],
    "HIDDEN_SIDE": [1, 3],
    "HOURLY_WAGE": [0.0, 1e6],
    "IMAGE_SIZE": [8, 9, 33, 64],
    "LABELED_SCENES": [[2], [3, 5, 7]],
    "LABELS_PER_CLASS": [[1], [1, 2], [3, 100_000], [100_000]],
    "LABEL_SMOOTHING": [0.0, 1.0],
    "LEARNING_RATE": [1e-12, 1.0],
    "LOSS": ["nt_xent"],
    "MASK_RATE": [0.001, 1.0],
    "MASK_SHARE": [0.0, 0.9],
    "MIN_AREA": [0.001, 1.0],
    "MOST_OBJECTS": [1, 20],
    "NOISE_SHARES": [[0.0], [0.5], [0.0, 0.9, 1.0]],
    "NORMALIZE": [False],
    "NUM_CENTROIDS": [2, 5000],
    "NUM_CLIPS": [20, 21],
    "NUM_COLLAPSE_STEPS": [0, 1],
    "NUM_EPOCHS": [1, 3],
    "NUM_EXAMPLES": [2, 3, 32],
    "NUM_FINE_TUNING_PASSES": [3],
    "NUM_FINE_TUNING_STEPS": [1],
    "NUM_FRAMES": [3, 7],
    "NUM_GRID_STEPS": [0, 1],
    "NUM_LAYERS": [3],
    "NUM_MAPPED_IMAGES": [50, 5000],
    "NUM_NEIGHBORS": [1, 100_000],
    "NUM_PROMPTS": [2],
    "NUM_PROMPT_STEPS": [1],
    "NUM_READINGS": [1, 100],
    "NUM_SCRATCH_STEPS": [1],
    "NUM_STEPS": [1, 2, 5],
    "NUM_SUPERVISED_EPOCHS": [1],
    "NUM_TEST_SCENES": [2],
    "NUM_TEXT_EPOCHS": [1],
    "NUM_TRAIN_IMAGES": [1, 10, 64],
    "NUM_TRAIN_PASSAGES": [1, 4, 40],
    "NUM_TUNING_STEPS": [0, 1],
    "NUM_TWIN_STEPS": [0, 1, 50],
    "NUM_VALIDATION_SCENES": [2],
    "NUM_VIEWS": [2, 3, 16],
    "NUM_WORDS": [2, 100_000],
    "OPTIMIZER": ["adamw", "sgd"],
    "PASSAGE_LENGTH": [1, 3, 100_000],
    "PATCH_SIZE": [2, 8, 16],
    "PRECISION": ["32-true", "bf16-mixed", "16-mixed"],
    "PROJECTION_DIM": [2],
    "RANDOM_SHARE": [0.0, 0.2],
    "SCENE_SIZE": [32, 40, 128],
    "SCRATCH_SEEDS": [[7], [0, 1, 2]],
    "SEED": [1, 2**32 - 1],
    "SEEDS": [[4], [2**32 - 1, 0]],
    "SENTENCE": ["[MASK]", "[MASK] [MASK] [MASK]", "a " * 500 + "[MASK]", "\N{SNOWMAN} [MASK]"],
    "SPEED_SECONDS": [0.1],
    "TEMPERATURE": [1e-6, 1e6],
    "TOP_K": [0, 1, 100_000],
    "VIDEO": ["cifar10-mini"],
    "VIEW_SIZES": [[8], [32, 8], [9, 11, 13, 15]],
    "VOCAB_SIZE": [100, 100_000],
    "WEIGHT_DECAY": [0.0, 0.99],
    "WIDTH": [64],
}
NOT_MOVED = {"CORPUS", "DATASET", "DEVICE", "ENCODER_FILE", "RUN_DIR", "SCENES", "TEXT_DATASET"}
NOT_OWN_WORDS = re.compile(r"[A-Z]\w*(Error|Exception|Warning)\b")  # such as "IndexError: list index out of range"


def values_to_try(notebook: Notebook, profile: Profile, smoke: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the single changes of the smoke profile's parameters that may run; the others are refused before."""
    missing = set(smoke) - set(EDGES) - NOT_MOVED
    assert not missing, f"no edges are known for {', '.join(sorted(missing))}"
    found = []
    for parameter, value in ((key, edge) for key in smoke if key in EDGES for edge in EDGES[key]):
        if value != smoke[parameter]:
            with suppress(CourseError):
                make_plan([notebook], profile, {parameter: value}, "edges")
                found.append({parameter: value})
    return found


def try_all(
    name: str, smoke: dict[str, Any], changes: list[dict[str, Any]], folder: Path
) -> list[tuple[dict[str, Any], str]]:
    """Run the notebook with each change; return those that failed, with the error."""
    spec = folder / f"{name}.json"
    moved = {parameter: smoke[parameter] for change in changes for parameter in change}
    runs = [{**moved, **change} for change in changes]  # a sweep's items all set the same parameters
    spec.write_text(json.dumps({"notebook": name, "profile": "smoke", "list": runs}))
    command = [sys.executable, "-m", "course_utils", "sweep", str(spec), "--name", str(folder / name)]
    with spec.with_suffix(".log").open("w") as log:
        subprocess.run([*command, "--timeout", "5"], stdout=log, stderr=subprocess.STDOUT, check=False)
    entries = [json.loads(path.read_text())["notebooks"][0] for path in sorted((folder / name).glob("*/summary.json"))]
    assert len(entries) == len(changes), f"{len(changes)} runs were asked for, {len(entries)} were made: see {log.name}"
    failed = []
    for entry in entries:
        if entry["status"] != "ok":
            now = entry["parameters"]
            failed.append(({key: now[key] for key, value in moved.items() if now[key] != value}, entry["error"]))
    return failed


def main() -> int:
    """Try all edges of the notebooks that are named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*")
    parser.add_argument("--only", default=",".join(EDGES), help="parameters, with commas between them")
    parser.add_argument("--folder", type=Path, default=Path("runs/edges"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    chosen = select(options.notebooks, notebooks_dir(), everything=not options.notebooks)
    profile = read_profile("smoke", notebooks_dir() / "profiles")
    bad = 0
    for notebook in chosen:
        smoke = {**notebook.defaults(), **profile.values[notebook.name]}
        changes = [
            change for change in values_to_try(notebook, profile, smoke) if set(change) <= set(options.only.split(","))
        ]
        failed = try_all(notebook.name, smoke, changes, options.folder.resolve())
        print(f"{notebook.name}: {len(changes)} runs, {len(failed)} failed", flush=True)
        for change, error in failed:
            strange = bool(NOT_OWN_WORDS.match(error))
            bad += strange
            print(f"  {'! ' if strange else '  '}{json.dumps(change)[:80]}: {error[:400]}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
