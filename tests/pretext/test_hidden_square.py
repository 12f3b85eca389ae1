"""The smallest pretext task: what is cut out is what is there, and the line is the best one."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from course_utils.pretext.hidden_square import fill_square, fit_line, predict_line, root_mean_square, split_square


@pytest.fixture
def images():
    return torch.randint(0, 256, (5, 3, 13, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_square_and_frame_are_the_pixels_that_a_loop_finds(images):
    side, frame = 4, 2
    seen, hidden = split_square(images, side, frame)
    for n, image in enumerate(images):
        inside, around = [], []
        for channel in image:
            for row in range(4 - frame, 4 + side + frame):
                for column in range(4 - frame, 4 + side + frame):
                    is_inside = 4 <= row < 4 + side and 4 <= column < 4 + side
                    (inside if is_inside else around).append(channel[row, column].item() / 255)
        assert hidden[n].tolist() == pytest.approx(inside)
        assert seen[n].tolist() == pytest.approx(around)


def test_filling_with_what_was_there_changes_nothing(images):
    assert torch.equal(fill_square(images, split_square(images, 5, 1)[1], 5), images)


def test_filling_changes_the_square_only(images):
    filled = fill_square(images, torch.ones(5, 3 * 16), 4)
    assert (filled[:, :, 4:8, 4:8] == 255).all()
    filled[:, :, 4:8, 4:8] = images[:, :, 4:8, 4:8]
    assert torch.equal(filled, images)


def test_the_line_is_that_of_another_library():
    generator = np.random.default_rng(0)
    inputs, targets = generator.normal(size=(50, 6)) + 2, generator.normal(size=(50, 3))
    other = Ridge(alpha=0.1 * len(inputs)).fit(inputs, targets)
    weights = fit_line(torch.tensor(inputs).float(), torch.tensor(targets).float(), l2=0.1)
    np.testing.assert_allclose(weights[:-1].T, other.coef_, atol=1e-5)
    np.testing.assert_allclose(predict_line(weights, torch.tensor(inputs).float()), other.predict(inputs), atol=1e-5)


def test_the_size_of_differences():
    assert root_mean_square(torch.tensor([3.0, -4.0])) == pytest.approx(12.5**0.5)


@pytest.mark.parametrize(("side", "frame"), [(9, 2), (0, 1), (4, 0)])
def test_what_does_not_fit_is_refused(images, side, frame):
    with pytest.raises(ValueError, match="pixel"):
        split_square(images, side, frame)


def test_no_holding_back_is_refused():
    with pytest.raises(ValueError, match="l2"):
        fit_line(torch.ones(3, 1), torch.ones(3, 1), l2=0.0)
