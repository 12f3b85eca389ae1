"""Every place of an encoder, read right and left as it was."""

import pytest
import torch

from course_utils.data.images import ImageSplits, LabeledImages
from course_utils.evaluation import extract_features
from course_utils.evaluation.block_features import (
    LAST,
    PooledBlocks,
    best_block,
    evaluate_blocks,
    extract_blocks,
    join_blocks,
)
from course_utils.models.vision import build_encoder


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return build_encoder("compact", [0.5] * 3, [0.25] * 3)


@pytest.fixture
def splits():
    generator = torch.Generator().manual_seed(0)

    def part(count):
        labels = torch.arange(count) % 2
        noise = torch.randint(0, 120, (count, 3, 16, 16), generator=generator)
        return LabeledImages((noise + 100 * labels[:, None, None, None]).byte(), labels)  # dark or light

    return ImageSplits("two", part(40), part(20), part(20), ("dark", "light"), "")


def test_places_are_averages_over_quarters(encoder):
    images = torch.rand(5, 3, 16, 16)
    encoder.eval()
    reader = PooledBlocks(encoder)
    assert reader.names == ["stem", "block 1", "block 2", "block 3", LAST]
    with torch.inference_mode():
        read, maps = reader.read(images), encoder.forward_blocks(images)
        h = encoder(images)
    assert [part.shape[1] for part in read] == [128, 128, 256, 512, 128]
    half = maps[1].shape[-1] // 2
    top_right = maps[1][:, :, :half, half:].mean(dim=(2, 3))
    torch.testing.assert_close(read[1].view(5, 32, 4)[:, :, 1], top_right)
    torch.testing.assert_close(read[-1], h)


def test_extracting_leaves_the_encoder_as_it_was(encoder, splits):
    encoder.train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    blocks = extract_blocks(encoder, splits)
    assert list(blocks) == PooledBlocks(encoder).names
    assert encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    torch.testing.assert_close(blocks[LAST].test.features, extract_features(encoder, splits.test.images))
    assert torch.equal(blocks["stem"].train.labels, splits.train.labels)


def test_the_best_place_is_chosen_on_validation(encoder, splits):
    results = evaluate_blocks(extract_blocks(encoder, splits), 2)
    assert results[best_block(results)].validation_accuracy == max(r.validation_accuracy for r in results.values())
    assert results["stem"].test_accuracy > 0.9  # light and dark are told by any layer


def test_a_grid_of_nothing(encoder):
    with pytest.raises(ValueError, match="grid must be at least 1"):
        PooledBlocks(encoder, 0)


def test_all_blocks_stand_side_by_side(encoder, splits):
    blocks = extract_blocks(encoder, splits)
    joined = join_blocks(blocks)
    assert joined.test.features.shape == (20, 128 + 128 + 256 + 512)
    assert torch.equal(joined.test.features[:, :128], blocks["stem"].test.features)
    assert torch.equal(joined.train.features[:, -512:], blocks["block 3"].train.features)
    assert torch.equal(joined.validation.labels, splits.validation.labels)
