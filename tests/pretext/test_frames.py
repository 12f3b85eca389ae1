"""Missing frames against their definition, and the rules where their answer is known."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.pretext.frames import (
    TASKS,
    average_neighbors,
    copy_last,
    frame_loss,
    go_on,
    missing_place,
    split_clip,
)

odd_lengths = st.sampled_from([3, 5, 7])


def clips_of(num_frames, count=2):
    """Return clips whose frame t is all t."""
    return torch.arange(float(num_frames)).view(1, -1, 1, 1, 1).expand(count, -1, 1, 2, 2)


@settings(deadline=None)
@given(odd_lengths, st.sampled_from(TASKS))
def test_shown_and_missing_are_the_clip(num_frames, task):
    clips = torch.rand(2, num_frames, 1, 2, 2)
    shown, missing = split_clip(clips, task)
    place = num_frames // 2 if task == "middle" else num_frames - 1
    expected = [clips[:, number] for number in range(num_frames) if number != place]
    assert torch.equal(shown, torch.stack(expected, dim=1))
    assert torch.equal(missing, clips[:, place])


@settings(deadline=None)
@given(odd_lengths)
def test_rules_where_brightness_rises_evenly(num_frames):
    clips = clips_of(num_frames)
    shown, missing = split_clip(clips, "middle")
    assert torch.equal(average_neighbors(shown, "middle"), missing)
    assert torch.equal(go_on(shown, "middle"), missing)
    assert torch.equal(copy_last(shown, "middle"), missing - 1)
    shown, missing = split_clip(clips, "next")
    assert torch.equal(copy_last(shown, "next"), missing - 1)
    assert torch.equal(average_neighbors(shown, "next"), missing - 1.5)
    tenth = clips / 10
    shown, missing = split_clip(tenth, "next")
    torch.testing.assert_close(go_on(shown, "next"), missing)


def test_going_on_stays_between_black_and_white():
    shown = torch.tensor([0.2, 0.9]).view(1, 2, 1, 1, 1)
    assert go_on(shown, "next").item() == 1.0


def test_the_loss_is_the_mean_over_pixels():
    predicted, missing = torch.rand(2, 3, 1, 4, 4)
    total = sum((a - b) ** 2 for a, b in zip(predicted.flatten().tolist(), missing.flatten().tolist(), strict=True))
    assert frame_loss(predicted, missing).item() == pytest.approx(total / 48, rel=1e-5)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="task must be one of middle, next, got 'first'"):
        missing_place(5, "first")
    with pytest.raises(ValueError, match="predicting the middle frame needs an odd number"):
        missing_place(4, "middle")
    with pytest.raises(ValueError, match="predicting the next frame needs at least 3 frames, got 2"):
        missing_place(2, "next")
    with pytest.raises(ValueError, match="a prediction of shape"):
        frame_loss(torch.zeros(1, 1, 2, 2), torch.zeros(1, 3, 2, 2))
