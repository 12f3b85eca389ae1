"""`course run --profile smoke` as a newcomer types it, offline and with an empty HOME, and what it leaves."""

import json

import pytest

from course_utils.paths import notebooks_dir
from course_utils.running.metrics import METRIC_NAME
from course_utils.running.notebooks import discover

CORE = [notebook.name for notebook in discover(notebooks_dir()) if notebook.is_core]
EXPECTED_METRICS = {
    "00_start_here": ["image/hidden_square/linear/error", "image/hidden_square/mean_color/error"],
    "01_supervised_baselines": [
        "image/chance/test_accuracy",
        "image/pixels/linear/test_accuracy",
        "image/kmeans/linear/test_accuracy",
        "image/supervised/test_accuracy",
        "image/supervised/test_accuracy_sd",
        "text/majority/test_accuracy",
        "text/tfidf/linear/test_accuracy",
        "text/supervised/test_accuracy",
        "text/supervised/test_accuracy_sd",
    ],
    "02_what_labels_cost": [
        "image/kmeans/linear/labels_5/test_accuracy",
        "image/kmeans/linear/labels_5/test_accuracy_sd",
        "text/tfidf/linear/labels_5/test_accuracy",
        "image/kmeans/linear/power_law_exponent",
        "text/tfidf/linear/power_law_exponent",
        "image/shortcut/marked/test_accuracy",
    ],
    "03_predicting_rotations": [
        "image/rotation/linear/test_accuracy",
        "image/rotation/linear/test_accuracy_sd",
        "image/rotation/linear/block",
        "image/rotation/linear/block_2/test_accuracy",
        "image/rotation/linear/labels_20/test_accuracy_sd",
        "image/rotation/tuned/labels_20/test_accuracy",
        "image/scratch/tuned/labels_20/test_accuracy",
        "image/rotation/pretext/test_accuracy",
        "image/untrained_blocks/linear/test_accuracy",
    ],
    "04_masked_words": [
        "text/masked_words/loss",
        "text/masked_words/accuracy",
        "text/masked_words/unigram_loss",
        "text/masked_words/uniform_loss",
        "text/masked_words/word_before_loss",
        "text/masked_words/tokens_per_second",
        "text/masked_words/linear/labels_5/test_accuracy",
        "text/masked_words/linear/labels_5/test_accuracy_sd",
        "text/masked_words/tuned/labels_5/test_accuracy",
        "text/untrained/linear/labels_5/test_accuracy",
        "text/untrained/tuned/labels_5/test_accuracy",
        "text/tfidf/passages/labels_5/test_accuracy",
        "text/careless_twin/validation_loss",
        "text/left_only/validation_loss",
    ],
    "05_simclr": [
        "image/simclr/views_per_second",
        "image/simclr/validation_accuracy",
        "image/simclr/linear/validation_accuracy",
        "image/simclr/projections/linear/validation_accuracy",
        "image/simclr/knn/validation_accuracy",
        "image/simclr/projections/effective_rank",
        "image/attraction/projections/spread",
        "image/simsiam/projections/spread",
        "image/simclr/both/validation_accuracy",
    ],
    "07_next_word": [
        "text/next_word/loss",
        "text/next_word/perplexity",
        "text/trigram/loss",
        "text/next_word/linear/labels_5/test_accuracy",
        "text/letters/in_context/examples_8/accuracy",
    ],
    "06_linear_evaluation": [
        "image/pixels/linear/test_accuracy",
        "image/untrained/linear/test_accuracy",
        "image/simclr/linear/test_accuracy",
        "image/simclr/linear/test_accuracy_sd",
        "image/simclr/knn/test_accuracy",
        "image/supervised/linear/test_accuracy",
    ],
    "08_missing_pieces": [
        "image/patches/linear/test_accuracy",
        "image/untrained_patches/linear/test_accuracy",
        "image/patches/hidden_75/error",
        "video/middle_frame/error",
        "video/next_frame/error",
        "video/copy_last/error",
        "video/average/error",
        "video/frames/linear/digit_accuracy",
        "video/untrained_frames/linear/direction_accuracy",
    ],
    "09_what_and_where": [
        "image/simclr/objects/test_accuracy",
        "image/untrained/objects/test_accuracy",
        "image/simclr/detection/scenes_20/map50",
        "image/simclr/detection/scenes_20/map",
        "image/simclr/detection/scenes_20/where50",
        "image/untrained/detection/scenes_20/map50",
        "image/rotation/detection/scenes_20/map50",
        "image/supervised/detection/scenes_20/map50",
        "image/scratch/detection/scenes_20/map50",
        "image/chance/detection/map50",
        "image/boxes/bill/scenes_20/dollars",
    ],
}


pytestmark = pytest.mark.notebook


def test_the_smoke_run_ends_well(smoke_run):
    done, summary = smoke_run.done, smoke_run.summary
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert done.stderr == ""
    assert (summary["schema"], summary["profile"], summary["status"]) == (1, "smoke", "ok")
    assert all(summary["environment"].values())
    assert [entry["name"] for entry in summary["notebooks"]] == CORE
    assert {entry["status"] for entry in summary["notebooks"]} == {"ok"}
    assert {entry["error"] for entry in summary["notebooks"]} == {None}
    assert (smoke_run.folder / "report.html").stat().st_size > 100_000, "pictures are inside"
    assert all((smoke_run.folder / f"{name}.ipynb").exists() for name in CORE)


@pytest.mark.parametrize("name", CORE)
def test_metrics_are_there_and_in_range(name, smoke_run):
    [entry] = [entry for entry in smoke_run.summary["notebooks"] if entry["name"] == name]
    metrics = entry["metrics"]
    assert metrics, "a notebook measures something"
    assert set(EXPECTED_METRICS.get(name, [])) <= set(metrics)
    assert all(METRIC_NAME.fullmatch(metric) for metric in metrics)
    for metric, value in metrics.items():
        if metric.endswith("accuracy"):
            assert 0.0 < value <= 1.0, metric
        if metric.endswith("_sd"):
            assert 0.0 <= value < 0.5, metric
            assert metric.removesuffix("_sd") in metrics
    for claim in entry["claims"]:
        assert set(claim) == {"id", "statement", "source", "holds", "evidence"}
        assert isinstance(claim["holds"], bool)
        assert claim["evidence"]


def test_even_a_smoke_run_beats_chance(smoke_run):
    metrics = {name: value for entry in smoke_run.summary["notebooks"] for name, value in entry["metrics"].items()}
    for method in ("pixels/linear", "supervised", "simclr/linear", "untrained/linear"):
        assert metrics[f"image/{method}/test_accuracy"] > metrics["image/chance/test_accuracy"] + 0.05


def test_even_a_smoke_run_beats_knowing_nothing_of_words(smoke_run):
    [entry] = [entry for entry in smoke_run.summary["notebooks"] if entry["name"] == "04_masked_words"]
    metrics = entry["metrics"]
    assert metrics["text/masked_words/loss"] < metrics["text/masked_words/unigram_loss"]
    assert metrics["text/masked_words/unigram_loss"] < metrics["text/masked_words/uniform_loss"]


def test_claims_were_made(smoke_run):
    assert [claim["id"] for entry in smoke_run.summary["notebooks"] for claim in entry["claims"]]


TIMED = ("_per_second", "seconds", "minutes")


def test_one_after_the_other_measure_the_same_as_side_by_side(course_run, smoke_run, tmp_path):
    done = course_run(tmp_path / "run", "01", "03", "04", "--jobs", "1")
    assert done.returncode == 0, done.stdout[-4000:]
    side_by_side = {entry["name"]: entry["metrics"] for entry in smoke_run.summary["notebooks"]}
    for entry in json.loads((tmp_path / "run" / "summary.json").read_text())["notebooks"]:
        assert untimed(entry["metrics"]) == untimed(side_by_side[entry["name"]])


def untimed(metrics):
    return {name: value for name, value in metrics.items() if not name.endswith(TIMED)}


def test_a_second_run_has_nothing_to_do(course_run, smoke_run):
    before = smoke_run.summary
    done = course_run(smoke_run.folder)
    assert done.returncode == 0
    assert "nothing to do" in done.stdout
    assert "Report: " in done.stdout
    after = smoke_run.summary
    assert {entry["status"] for entry in after["notebooks"]} == {"up-to-date"}
    assert [entry["metrics"] for entry in after["notebooks"]] == [entry["metrics"] for entry in before["notebooks"]]
