"""Fine-tuning learns, keeps its best round, and leaves what it was given alone."""

import pytest
import torch

from course_utils.data.images import LabeledImages
from course_utils.devices import make_fabric
from course_utils.evaluation.finetuning import Recipe, fine_tune
from course_utils.models.vision import build_encoder
from course_utils.views import ViewSettings

VIEWS = ViewSettings(size=16, min_area=0.8, jitter_prob=0.0, gray_prob=0.0)


def stripes(count, seed):
    """Images of horizontal or vertical stripes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    wave = (torch.arange(16) // 2 % 2 * 120).float()
    images = torch.where(labels.view(-1, 1, 1, 1).bool(), wave.view(1, 1, 1, 16), wave.view(1, 1, 16, 1))
    return LabeledImages((images + 80 * torch.rand(count, 3, 16, 16, generator=generator)).byte(), labels)


@pytest.fixture
def tuned():
    torch.manual_seed(0)
    encoder = build_encoder("compact", [0.5] * 3, [0.25] * 3)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    recipe = Recipe(num_rounds=3, steps_per_round=4, batch_size=8)

    def run(test):
        result = fine_tune(
            encoder, stripes(6, 1), stripes(40, 2), test, 2,
            recipe=recipe, views=VIEWS, fabric=make_fabric("cpu", "32-true"), seed=0,
        )  # fmt: skip
        assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
        return result

    return run


def test_six_labels_tell_stripes_apart(tuned):
    result = tuned(stripes(60, 3))
    assert result.test_accuracy > 0.9
    assert result.validation_accuracy > 0.9
    assert 1 <= result.kept_round <= 3


def test_the_same_seed_gives_the_same_and_test_images_choose_nothing(tuned):
    test = stripes(60, 3)
    first = tuned(test)
    assert tuned(test) == first
    wrong = tuned(LabeledImages(test.images, 1 - test.labels))
    assert (wrong.kept_round, wrong.validation_accuracy) == (first.kept_round, first.validation_accuracy)
    assert wrong.test_accuracy == pytest.approx(1 - first.test_accuracy)


def test_every_label_is_used_however_short_a_round_is():
    """The last images of many must not be left out: only they show horizontal stripes."""
    torch.manual_seed(0)
    encoder = build_encoder("compact", [0.5] * 3, [0.25] * 3)
    many = stripes(64, 1)
    many = many.take(many.labels.argsort(stable=True))
    recipe = Recipe(num_rounds=6, steps_per_round=2, batch_size=8)
    options = {"recipe": recipe, "views": [VIEWS, VIEWS], "fabric": make_fabric("cpu", "32-true"), "seed": 0}
    assert fine_tune(encoder, many, stripes(40, 2), stripes(60, 3), 2, **options).test_accuracy > 0.9
