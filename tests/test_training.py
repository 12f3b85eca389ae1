"""The loop: what it computes, what it records, and that an interrupted run ends like an undisturbed one."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from course_utils.devices import make_fabric
from course_utils.errors import CourseError
from course_utils.optimizers import make_optimizers
from course_utils.training import Step, fit, warmup_cosine

NUM_EXAMPLES, BATCH_SIZE = 50, 8
DATA = torch.randn(NUM_EXAMPLES, 5, generator=torch.Generator().manual_seed(0))
TARGETS = (DATA[:, 0] > 0).long()


def new_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


def noisy_loss(model: nn.Module, step: Step) -> dict[str, torch.Tensor]:
    noise = 0.1 * torch.randn(len(step.indices), 5, generator=step.generator)
    logits = model(DATA[step.indices] + noise)
    return {
        "loss": F.cross_entropy(logits, TARGETS[step.indices]),
        "accuracy": (logits.argmax(1) == TARGETS[step.indices]).float().mean(),
    }


def train(model, compute_loss=noisy_loss, **changes):
    settings = {
        "num_examples": NUM_EXAMPLES,
        "num_epochs": 5,
        "batch_size": BATCH_SIZE,
        "optimizers": make_optimizers(model, "adamw", 0.02),
        "fabric": make_fabric("cpu", "32-true"),
        "seed": 3,
    }
    return fit(model, compute_loss, **{**settings, **changes})


def test_learns_and_records_every_step():
    history = train(new_model(), num_epochs=20)
    steps_per_epoch = NUM_EXAMPLES // BATCH_SIZE
    assert history.column("step") == list(range(1, 20 * steps_per_epoch + 1))
    assert history.column("loss")[-1] < 0.4 < history.column("loss")[0]
    assert history.column("accuracy")[-1] > 0.8
    assert history.seconds > 0
    assert history.resumed_at == 0


def test_an_epoch_shows_each_example_at_most_once_in_new_order():
    seen = []

    def spy(model, step):
        seen.append(step.indices)
        return noisy_loss(model, step)

    train(new_model(), spy, num_epochs=2)
    first, second = torch.cat(seen[:6]), torch.cat(seen[6:])
    assert len(first.unique()) == len(second.unique()) == 48
    assert not torch.equal(first, second)


def test_length_may_be_given_in_steps_and_the_callback_comes_after_so_many():
    called = []

    def callback(step):
        called.append(step)
        return {"reading": float(step)}

    history = train(new_model(), num_epochs=0, num_steps=10, callback=callback, callback_steps=4)
    assert called == [4, 8, 10] == history.column("reading")
    assert len(history.steps) == 10
    assert history.column("epoch") == pytest.approx([4 / 6, 8 / 6, 10 / 6])
    again = train(new_model(), num_epochs=0, num_steps=12)
    assert again.steps[:3] != history.steps[:3], "the schedule is that of 12 steps"
    epochs = train(new_model(), num_epochs=2)
    assert [row["loss"] for row in again.steps] == [row["loss"] for row in epochs.steps]


def test_length_is_given_once():
    with pytest.raises(ValueError, match="num_epochs or num_steps, not both, got 5 and 3"):
        train(new_model(), num_steps=3)


def test_progress_rises_from_zero_and_stays_below_one():
    shares = []

    def spy(model, step):
        shares.append(step.progress)
        return noisy_loss(model, step)

    train(new_model(), spy, num_epochs=1)
    assert shares == [i / 6 for i in range(6)]


def test_same_seed_same_numbers_other_seed_others():
    assert train(new_model()).column("loss") == train(new_model()).column("loss")
    assert train(new_model()).column("loss") != train(new_model(), seed=4).column("loss")


class PulledPlug(BaseException):
    """Stands in for SIGKILL: nothing in the loop can catch it."""


@pytest.mark.parametrize("optimizer", ["muon", "adamw", "sgd"])
@pytest.mark.parametrize("kill_at", [1, 13, 29])
def test_an_interrupted_run_ends_like_an_undisturbed_one(tmp_path, monkeypatch, optimizer, kill_at):
    monkeypatch.setattr("course_utils.training.SECONDS_BETWEEN_CHECKPOINTS", 0)  # save after every step
    checkpoint = tmp_path / "state.pt"

    def run(compute_loss, **more):
        model = new_model()
        measured = train(
            model, compute_loss, optimizers=make_optimizers(model, optimizer, 0.02), callback=float_epoch, **more
        )
        return model, measured

    def float_epoch(epoch):
        return {"squared": float(epoch**2)}

    calls = 0

    def killed(model, step):
        nonlocal calls
        calls += 1
        if calls > kill_at:
            raise PulledPlug
        return noisy_loss(model, step)

    expected_model, expected = run(noisy_loss)
    with pytest.raises(PulledPlug):
        run(killed, checkpoint=checkpoint)
    torch.manual_seed(99)  # a new process starts elsewhere
    model, history = run(noisy_loss, checkpoint=checkpoint)
    assert history.resumed_at == kill_at
    assert history.steps == expected.steps
    assert history.epochs == expected.epochs
    for name, tensor in expected_model.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def test_a_finished_run_is_not_trained_again(tmp_path):
    checkpoint = tmp_path / "state.pt"
    first = train(new_model(), checkpoint=checkpoint)

    def forbidden(model, step):
        raise AssertionError("trained again")

    again = train(new_model(), forbidden, checkpoint=checkpoint)
    assert again.steps == first.steps
    assert again.resumed_at == 30


@pytest.mark.parametrize("change", [{"seed": 4}, {"num_epochs": 6}, {"identity": "temperature 0.2"}])
def test_a_checkpoint_of_other_settings_is_not_used(tmp_path, change):
    checkpoint = tmp_path / "state.pt"
    train(new_model(), checkpoint=checkpoint)
    assert train(new_model(), checkpoint=checkpoint, **change).resumed_at == 0


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_damaged_checkpoint_starts_from_scratch(tmp_path, content):
    checkpoint = tmp_path / "state.pt"
    checkpoint.write_bytes(content)
    assert train(new_model(), checkpoint=checkpoint).resumed_at == 0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_training_and_is_not_saved(tmp_path, value):
    calls = 0

    def breaks(model, step):
        nonlocal calls
        calls += 1
        measured = noisy_loss(model, step)
        return {"loss": measured["loss"] * value} if calls == 14 else measured

    with pytest.raises(CourseError, match=rf"the loss is {value} at step 14; a smaller learning rate"):
        train(new_model(), breaks, checkpoint=tmp_path / "state.pt")
    assert not (tmp_path / "state.pt").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_epochs": 0}, "num_epochs must be at least 1, got 0"),
        ({"batch_size": -1}, "batch_size must be at least 1, got -1"),
        ({"batch_size": 51}, "batch_size 51 is larger than the 50 training examples"),
    ],
)
def test_sizes_that_make_no_sense_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        train(new_model(), **change)


def test_schedule_rises_then_falls_to_nothing():
    shares = [warmup_cosine(step, 100, 0.1) for step in range(100)]
    assert shares[0] < 0.1
    assert shares[10] == 1
    assert shares[:11] == sorted(shares[:11])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert shares[-1] < 1e-3
    assert warmup_cosine(55, 100, 0.1) == pytest.approx(0.5)
    assert warmup_cosine(0, 1, 0.0) == 1


def test_learning_rates_follow_the_schedule_from_their_peaks():
    model = new_model()
    optimizers = make_optimizers(model, "sgd", 0.3)
    seen = []

    def spy(model, step):
        seen.append(optimizers[0].param_groups[0]["lr"])
        return noisy_loss(model, step)

    train(model, spy, optimizers=optimizers)
    assert seen == pytest.approx([0.3 * warmup_cosine(step, 30, 0.1) for step in range(30)])


def test_bfloat16_trains_on_any_cpu():
    fabric = make_fabric("cpu", "bf16-mixed")
    kinds = []

    def spy(model, step):
        measured = noisy_loss(model, step)
        kinds.append(measured["loss"].dtype)
        return measured

    history = train(new_model(), spy, fabric=fabric, num_epochs=20)
    assert history.column("loss")[-1] < 0.5
    assert set(kinds) == {torch.float32}


@given(st.lists(st.integers(), min_size=1, max_size=5), st.integers(1, 200))
def test_stages_follow_each_other_in_equal_shares(stages, num_steps):
    generator = torch.Generator()
    seen = [Step(torch.arange(1), generator, step / num_steps).stage(range(len(stages))) for step in range(num_steps)]
    assert seen == sorted(seen)
    assert seen[0] == 0
    counts = [seen.count(stage) for stage in range(len(stages))]
    assert max(counts) - min(counts) <= 1
