"""Exercises: a stub is not tried yet, a solution passes, and the common wrong answers are known by name."""

import ast
import json
import math
import re

import pytest
import torch
from torch.nn import functional as F

from course_utils import checks
from course_utils.checks import Mistake, Verdict, judge_function, judge_guess
from course_utils.paths import notebooks_dir
from course_utils.running.notebooks import Notebook, discover

SOLUTIONS = [Notebook(path) for path in sorted((notebooks_dir() / "solutions").glob("*.ipynb"))]
NOTEBOOKS = [notebook for notebook in discover(notebooks_dir()) if "checks.check_" in "".join(notebook.code)]
CHECKS = [name for name in checks.__all__ if name.startswith("check_")]


def tagged(notebook, tag):
    return [cell["source"] for cell in notebook.cells if tag in cell["metadata"].get("tags", [])]


def checks_in(sources):
    return re.findall(r"checks\.(check_\w+)\(", "\n".join(sources))


def run(source, namespace):
    """Run a cell and return what its last line gives, as Jupyter does."""
    *statements, last = ast.parse(source).body
    exec(compile(ast.Module(statements, []), "cell", "exec"), namespace)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "cell", "exec"), namespace)
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)


def imports_of(notebook):
    return next(source for source in notebook.code if "import" in source)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_stubs_are_not_tried_yet(notebook):
    namespace = {}
    run(imports_of(notebook), namespace)
    stubs = tagged(notebook, "exercise")
    assert 2 <= len(stubs) <= 5
    for source in stubs:
        verdict = run(source, dict(namespace))
        assert isinstance(verdict, Verdict)
        assert verdict.status == "not tried yet", source
        with pytest.raises(AssertionError, match="not tried yet"):
            verdict.insist()


@pytest.mark.parametrize("notebook", SOLUTIONS, ids=lambda notebook: notebook.name)
def test_solutions_pass(notebook):
    namespace = {}
    for source in notebook.code:
        verdict = run(source, namespace)
        if "checks.check_" in source:
            assert verdict.passed, str(verdict)
            assert ".insist()" in source


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_each_exercise_has_a_solution(notebook):
    [solutions] = [each for each in SOLUTIONS if each.name == notebook.name]
    assert checks_in(tagged(notebook, "exercise")) == checks_in(solutions.code)
    text = "\n".join(cell["source"] for cell in notebook.cells)
    numbers = re.findall(r"^(\d)\. \*\*", text[text.index("## Your turn") :], re.M)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert 3 <= len(numbers) <= 5
    answered = re.findall(r"\*\*(\d)\.\*\*", "\n".join(cell["source"] for cell in solutions.cells))
    assert answered == numbers


def test_each_check_is_of_use():
    used = {name for notebook in NOTEBOOKS for name in checks_in(notebook.code)}
    assert used == set(CHECKS)


@pytest.mark.parametrize("notebook", SOLUTIONS, ids=lambda notebook: notebook.name)
def test_solutions_are_stripped(notebook):
    for cell in json.loads(notebook.path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def chosen_mean(values, chosen):
    return (values * chosen).sum() / chosen.sum()


def surprise(logits, tokens):
    return -logits.log_softmax(dim=2).gather(2, tokens[..., None])[..., 0]


def normalized(z):
    return z / z.norm(dim=1, keepdim=True)


def cross_entropy_of_rows(scores):
    return F.cross_entropy(scores, torch.arange(len(scores)))


# check → wrong answers as a learner would write them, each with words from the hint that it must get
WRONG = {
    "check_next_number": [
        (lambda n: (n[:-1], n[:-1]), "given away"),
        (lambda n: (n, n), "given away"),
        (lambda n: (n[1:], n[:-1]), "backwards"),
        (lambda n: (n, n[1:]), "one number too many"),
        (lambda n: n[1:], "2 things"),
    ],
    "check_share_right": [
        (lambda logits, labels: (logits.argmax(0) == labels).float().mean(), "wrong dimension"),
        (lambda logits, labels: sum(logits.argmax(1) == labels), "count"),
        (lambda logits, labels: 100 * (logits.argmax(1) == labels).float().mean().item(), "percentage"),
        (lambda logits, labels: (logits.argmax(1) != labels).float().mean(), "share of wrong"),
        (lambda logits, labels: logits.argmax(1), "one number, not a tensor"),
        (lambda logits, labels: (logits.max(1).values == labels).float().mean(), "argmax"),
        (lambda logits, labels: (logits.argmax() == labels).float().mean(), "argmax"),
        (lambda logits, labels: (logits.argmax(1) == labels).mean(), "numbers first, with .float()"),
    ],
    "check_majority": [
        (lambda train, test: test.bincount().max() / len(test), "choosing on the test labels"),
        (lambda train, test: train.bincount().max() / len(train), "in training"),
        (lambda train, test: train.bincount().argmax().item(), "class itself"),
        (lambda train, test: (test == train.max()).float().mean(), "not right yet"),
        (lambda train, test: train[10**6], "broke off with IndexError"),
    ],
    "check_bill": [
        (lambda n, s, a, w: n * s * w / 3600, "one annotator"),
        (lambda n, s, a, w: n * s * a * w / 60, "minutes"),
        (lambda n, s, a, w: n * s * a * w, "as if they were hours"),
        (lambda n, s, a, w: n * s * a / 3600, "the hours"),
        (lambda n, s, a, w: n, "How many hours"),
    ],
    "check_labels_for": [
        (lambda error, a, b: (error / a) ** (1 / b), "upside down"),
        (lambda error, a, b: a / error**b, "in the place of n"),
        (lambda error, a, b: (a / error) ** b, "exponent used as it is"),
        (lambda error, a, b: "many", "step by step"),
    ],
    "check_half_turn": [
        (lambda images: images.flip(2), "top and bottom"),
        (lambda images: images.flip(3), "left and right"),
        (lambda images: images.flip(0, 1), "wrong dimensions"),
        (lambda images: images.mT, "diagonal"),
        (lambda images: torch.rot90(images, 1, (2, 3)), "quarter turn"),
        (lambda images: images[0], "The shape is"),
        (lambda images: 0, "should return a tensor"),
    ],
    "check_turn_labels": [
        (lambda n: torch.tensor([0, 1, 2, 3] * n), "image by image"),
        (lambda n: torch.zeros(n), "as many labels"),
        (lambda n: torch.tensor([90 * t for t in range(4) for _ in range(n)]), "degrees"),
    ],
    "check_choose": [
        (lambda tokens, draws, rate, s: draws < rate, "special tokens, too"),
        (lambda tokens, draws, rate, s: (draws >= rate) & (tokens >= s), "1 − rate"),
        (lambda tokens, draws, rate, s: (draws < rate) & (tokens < s), "only special"),
        (lambda tokens, draws, rate, s: (draws < rate) & (tokens > s), "off by one"),
        (lambda tokens, draws, rate, s: ((draws < rate) & (tokens >= s)).long(), "torch.int64"),
    ],
    "check_masked_loss": [
        (lambda logits, tokens, chosen: surprise(logits, tokens).mean(), "over all tokens"),
        (lambda logits, tokens, chosen: (surprise(logits, tokens) * chosen).mean(), "number of all tokens"),
        (lambda logits, tokens, chosen: surprise(logits, tokens)[chosen].sum(), "a sum"),
        (lambda logits, tokens, chosen: chosen_mean(surprise(logits, tokens), ~chosen), "where nothing is hidden"),
    ],
    "check_one_sided": [
        (lambda a, b, t: cross_entropy_of_rows(a @ b.T / t), "without cosines"),
        (lambda a, b, t: cross_entropy_of_rows(normalized(a) @ normalized(b).T * t), "multiplying"),
        (lambda a, b, t: cross_entropy_of_rows(normalized(a) @ normalized(b).T), "leaving the temperature out"),
        (lambda a, b, t: cross_entropy_of_rows(normalized(b) @ normalized(a).T / t), "second views to the first"),
        (lambda a, b, t: nt_xent_slowly(a, b, t), "own side"),
        (lambda a, b, t: decoupled_slowly(a, b, t), "not among the candidates"),
    ],
    "check_chance": [
        (lambda n: math.log(2 * n - 1), "NT-Xent"),
        (lambda n: math.log(n - 1), "without the partner"),
        (lambda n: math.log(n, 2), "bits"),
        (lambda n: math.log10(n), "base 10"),
        (lambda n: 1 / n, "a probability"),
    ],
    "check_perplexity": [
        (lambda p: -p.log().mean(), "loss in nats"),
        (lambda p: 1 / p.mean(), "turned over"),
        (lambda p: p.reciprocal().mean(), "mean of numbers of words"),
        (lambda p: p.prod() ** (1 / len(p)), "upside down"),
        (lambda p: 1 / p.prod(), "whole text"),
        (lambda p: 2 ** -p.log().mean().item(), "power of nats"),
        (lambda p: p, "one number"),
    ],
    "check_best_possible": [
        (lambda n, k, m: 1 - ((k - 1) / k) ** n, "says nothing"),
        (lambda n, k, m: 1 - ((k - 1) / k) ** n + 1 / m, "counted twice"),
        (lambda n, k, m: ((k - 1) / k) ** n, "never shown"),
        (lambda n, k, m: 1 / m + (1 - 1 / m) * min(1, n / k), "came twice"),
        (lambda n, k, m: 1 / m + (1 - 1 / m) / k**n, "every example"),
        (lambda n, k, m: n * k * m, "Two cases"),
    ],
    "check_pairs": [
        (lambda n, share: n * (1 - share), "number of visible"),
        (lambda n, share: n * n, "pairs of all"),
        (lambda n, share: (n * share) ** 2, "pairs of hidden"),
        (lambda n, share: n * n * (1 - share), "look at all"),
        (lambda n, share: n * (1 - share) * (n * (1 - share) - 1) / 2, "counted once"),
    ],
    "check_go_on": [
        (lambda x: x[:, -1] + (x[:, -1] - x[:, -2]), "beyond black and white"),
        (lambda x: x[:, -1], "copying"),
        (lambda x: (x[:, -1] + x[:, -2]) / 2, "average of the last two"),
        (lambda x: (x[:, -2] + x[:, -2] - x[:, -1]).clamp(0, 1), "step back"),
        (lambda x: (x[:, -1] - x[:, -2]).clamp(min=0), "change alone"),
        (lambda x: x, "The shape is"),
    ],
    "check_standardize": [
        (lambda a, b: (F.batch_norm(a, None, None, training=True, eps=0) * (11 / 12) ** 0.5, a), "dim=0"),
        (lambda a, b: ((a - a.mean(0)) / a.std(0), (b - b.mean(0)) / b.std(0)), "by themselves"),
        (lambda a, b: [(x - torch.cat([a, b]).mean(0)) / torch.cat([a, b]).std(0) for x in (a, b)], "together"),
        (lambda a, b: [((x.T - x.mean(1)) / x.std(1)).T for x in (a, b)], "each image"),
        (lambda a, b: [(x - a.mean()) / a.std() for x in (a, b)], "one mean and one spread"),
        (lambda a, b: (a - a.mean(0), b - a.mean(0)), "without dividing"),
    ],
    "check_protocol": [
        (lambda validation, test: max(test.values()), "choosing on the test images"),
        (lambda validation, test: max(validation.values()), "the validation accuracy"),
        (lambda validation, test: max(validation, key=validation.get), "the strength"),
        (lambda validation, test: sum(test.values()) / 4, "average"),
    ],
    "check_iou": [
        (lambda a, b: shared_area(a, b), "the shared area itself"),
        (lambda a, b: shared_area(a, b) / (area(a) + area(b)), "counted twice"),
        (lambda a, b: shared_area(a, b) / min(area(a), area(b)), "smaller box"),
        (lambda a, b: shared_area(a, b) / area(b), "second box"),
        (lambda a, b: iou_of_sides(a, b, torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])), "clamp"),
        (lambda a, b: a, "one number"),
    ],
    "check_suppress": [
        (lambda scores, overlaps, most: kept_greedily(range(len(scores)), overlaps, most), "as they come"),
        (lambda scores, overlaps, most: kept_greedily(ordered(scores)[::-1], overlaps, most), "least sure"),
        (lambda scores, overlaps, most: kept_against_all(ordered(scores), overlaps, most), "already out"),
        (lambda scores, overlaps, most: ordered(scores), "all boxes"),
        (lambda scores, overlaps, most: ordered(scores)[:1], "surest only"),
    ],
}


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def shared_area(a, b):
    width, height = (min(a[n + 2], b[n + 2]) - max(a[n], b[n]) for n in range(2))
    return max(width, 0) * max(height, 0)


def iou_of_sides(a, b, sides):
    return sides.prod() / (area(a) + area(b) - sides.prod())


def ordered(scores):
    return sorted(range(len(scores)), key=lambda box: -scores[box])


def kept_greedily(order, overlaps, most):
    kept = []
    for box in order:
        if not any(overlaps[box][other] > most for other in kept):
            kept.append(box)
    return kept


def kept_against_all(order, overlaps, most):
    return [box for n, box in enumerate(order) if not any(overlaps[box][other] > most for other in order[:n])]


def nt_xent_slowly(a, b, temperature):
    z, total = normalized(torch.cat([a, b])), 0.0
    for i in range(len(z)):
        partner = (i + len(a)) % len(z)
        scores = [(z[i] @ z[j]).item() / temperature for j in range(len(z)) if j != i]
        total += math.log(sum(map(math.exp, scores))) - (z[i] @ z[partner]).item() / temperature
    return total / len(z)


def decoupled_slowly(a, b, temperature):
    scores, total = normalized(a) @ normalized(b).T / temperature, 0.0
    for i in range(len(a)):
        others = [math.exp(scores[i, j]) for j in range(len(a)) if j != i]
        total += math.log(sum(others)) - scores[i, i].item()
    return total / len(a)


def test_every_function_to_write_has_wrong_answers_that_are_known():
    guesses = {name for source in every_stub() for name in checks_in([source]) if "guess = None" in source}
    assert set(WRONG) == set(CHECKS) - guesses


def every_stub():
    return [source for notebook in NOTEBOOKS for source in tagged(notebook, "exercise")]


@pytest.mark.parametrize(
    ("check", "answer", "words"), [(check, answer, words) for check, rows in WRONG.items() for answer, words in rows]
)
def test_wrong_answers_are_known_by_name(check, answer, words):
    verdict = getattr(checks, check)(answer)
    assert verdict.status == "not yet"
    assert words in verdict.words


# check → measurement, what it bears out, and another guess
GUESSES = {
    "check_bigger_square": [({"a": 0.1, "b": 0.2}, "rises", "falls"), ({"a": 0.1, "b": 0.1}, "stays", "rises")],
    "check_shuffled_pixels": [({"a": 0.3, "b": 0.31}, "stays", "falls"), ({"a": 0.3, "b": 0.1}, "falls", "stays")],
    "check_two_votes": [({"a": 0.2, "b": 0.201}, "stays", "falls"), ({"a": 0.2, "b": 0.1}, "falls", "rises")],
    "check_mirrored": [
        ({"a": 0.7, "b": 0.69}, "stays", "falls to chance"),
        ({"a": 0.7, "b": 0.26}, "falls to chance", "stays"),
        ({"a": 0.7, "b": 0.4}, "falls by half", "stays"),
    ],
    "check_hiding_more": [({"a": 3.0, "b": 5.0}, "rises", "stays"), ({"a": 3.0, "b": 2.0}, "falls", "rises")],
    "check_color_shortcut": [
        ({"a": 0.5, "b": 0.1}, "far less often", "more often"),
        ({"a": 0.5, "b": 0.5}, "about as often", "more often"),
    ],
    "check_daring": [
        ({"a": 0.2, "b": 0.9}, "most of the time", "about as often"),
        ({"a": 0.2, "b": 0.4}, "more often, up to half", "most of the time"),
        ({"a": 0.2, "b": 0.22}, "about as often", "rarer"),
        ({"a": 0.2, "b": 0.1}, "rarer", "about as often"),
    ],
    "check_backwards": [
        ({"a": 0.1, "b": 0.102}, "stays", "rises"),
        ({"a": 0.1, "b": 0.2}, "rises", "stays"),
        ({"a": 0.2, "b": 0.1}, "falls", "stays"),
    ],
    "check_mixed_features": [
        ({"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.2}, "neighbors", "both"),
        ({"a": 0.5, "b": 0.2, "c": 0.5, "d": 0.2}, "both", "linear"),
        ({"a": 0.5, "b": 0.2, "c": 0.5, "d": 0.5}, "linear", "neither"),
        ({"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}, "neither", "linear"),
    ],
    "check_halved_scores": [
        ({"a": 0.4, "b": 0.4}, "stays", "falls"),
        ({"a": 0.4, "b": 0.2}, "falls", "stays"),
        ({"a": 0.4, "b": 0.5}, "rises", "stays"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("check", "measured", "right", "wrong"), [(check, *row) for check, rows in GUESSES.items() for row in rows]
)
def test_predictions_are_held_against_the_measurement(check, measured, right, wrong):
    call = getattr(checks, check)
    assert call(right, lambda: measured).passed
    assert call(wrong, lambda: measured).status == "not yet"
    assert "A prediction is one of" in call("perhaps", lambda: measured).words


def test_every_prediction_is_tested():
    assert set(GUESSES) == set(CHECKS) - set(WRONG)


def test_nothing_is_measured_before_there_is_a_prediction():
    def measure():
        raise AssertionError("measured too early")

    verdict = judge_guess("x", None, ("a", "b"), measure, lambda _: "a", why="", think="")
    assert verdict.status == "not tried yet"
    assert "Predict first" in verdict.words


@pytest.mark.parametrize("guess", ["rises", " Rises"])
def test_a_prediction_may_be_written_with_a_capital(guess):
    verdict = judge_guess("x", guess, ("rises",), lambda: {"x": 1.0}, lambda _: "rises", why="", think="")
    assert verdict.passed


@pytest.mark.parametrize("guess", ["down", True, ["rises"]])
def test_another_prediction_is_told_what_to_write_as_code(guess):
    verdict = judge_guess("x", guess, ("rises", "falls"), dict, lambda _: "rises", why="", think="")
    assert verdict.words == 'A prediction is one of "rises", "falls".'


def test_a_measurement_that_breaks_off_is_told():
    verdict = judge_guess("x", "a", ("a", "b"), lambda: 1 / 0, lambda _: "a", why="", think="")
    assert "ZeroDivisionError" in verdict.words


def test_dots_that_are_left_are_told():
    verdict = judge_function("x", lambda x: (x, ...), lambda x: (x, x), [(1,)], hint="", praise="")
    assert verdict.words == "There are dots left to replace."


def test_a_function_that_changes_what_it_gets_spoils_nothing():
    numbers = torch.tensor([1.0, 2.0])
    verdict = judge_function(
        "double", lambda x: x.mul_(2), lambda x: 2 * x, [(numbers,), (numbers,)], hint="", praise="well"
    )
    assert verdict.passed
    assert numbers.tolist() == [1.0, 2.0]


def test_a_mistake_is_looked_for_in_every_case():
    mistakes = [Mistake("a square", lambda x: x**2, "Only 2 is its own double and square.")]
    verdict = judge_function(
        "double", lambda x: x**2, lambda x: 2 * x, [(2,), (3,)], mistakes=mistakes, hint="", praise=""
    )
    assert verdict.words == "This is a square. Only 2 is its own double and square."


def test_a_verdict_can_be_read_anywhere_and_is_escaped():
    verdict = Verdict("x", "not yet", "<b>no</b>")
    assert str(verdict) == repr(verdict) == "✘ x: not yet. <b>no</b>"
    assert "&lt;b&gt;no" in verdict._repr_html_()
