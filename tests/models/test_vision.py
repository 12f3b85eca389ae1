"""Encoders and the projection head."""

import pytest
import torch

from course_utils.models.vision import (
    ENCODER_NAMES,
    HEAD_NAMES,
    ProjectionHead,
    build_encoder,
    build_head,
    channel_statistics,
)

MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]


@pytest.mark.parametrize("name", ENCODER_NAMES)
@pytest.mark.parametrize("side", [24, 32, 33])
def test_features_have_one_shape_whatever_the_images_size(name, side):
    encoder = build_encoder(name, MEAN, STD).eval()
    features = encoder(torch.rand(2, 3, side, side))
    assert features.shape == (2, encoder.feature_dim)
    maps = encoder.forward_blocks(torch.rand(2, 3, side, side))
    assert len(maps) == 1 + len(encoder.blocks)
    assert maps[-1].shape[1] == encoder.feature_dim


@pytest.mark.parametrize(("name", "millions"), [("compact", 0.31), ("resnet18", 11.17)])
def test_number_of_parameters(name, millions):
    count = sum(parameter.numel() for parameter in build_encoder(name, MEAN, STD).parameters())
    assert count == pytest.approx(millions * 1e6, rel=0.02)


def test_cifar_stem_keeps_the_resolution():
    assert build_encoder("resnet18", MEAN, STD).eval().forward_blocks(torch.rand(1, 3, 32, 32))[0].shape[2:] == (32, 32)


def test_normalization_is_inside():
    """Shifted and scaled images with statistics to match give the same features."""
    images = torch.rand(4, 3, 32, 32)
    torch.manual_seed(0)
    plain = build_encoder("compact", [0.0] * 3, [1.0] * 3).eval()
    torch.manual_seed(0)
    shifted = build_encoder("compact", [0.5] * 3, [2.0] * 3).eval()
    torch.testing.assert_close(shifted(images * 2 + 0.5), plain(images), rtol=1e-4, atol=1e-5)


def test_batch_order_does_not_matter_in_eval_mode():
    encoder = build_encoder("compact", MEAN, STD).eval()
    images = torch.rand(6, 3, 32, 32)
    torch.testing.assert_close(encoder(images.flip(0)).flip(0), encoder(images), rtol=1e-4, atol=1e-5)


def test_projection_head():
    head = ProjectionHead(128, 64, 32)
    assert head(torch.rand(5, 128)).shape == (5, 32)
    assert sum(isinstance(layer, torch.nn.Linear) for layer in head) == 2


def test_channel_statistics_equal_torchs():
    images = torch.randint(0, 256, (7, 3, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = channel_statistics(images)
    scaled = images.double() / 255
    torch.testing.assert_close(torch.tensor(mean).double(), scaled.mean((0, 2, 3)), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(torch.tensor(std).double(), scaled.std((0, 2, 3), unbiased=False), rtol=1e-6, atol=1e-6)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="unknown encoder 'resnet50': choose one of compact, resnet18"):
        build_encoder("resnet50", MEAN, STD)
    with pytest.raises(ValueError, match="at least one image"):
        channel_statistics(torch.empty(0, 3, 4, 4, dtype=torch.uint8))


@pytest.mark.parametrize(("name", "dim"), list(zip(HEAD_NAMES, (4, 4, 8), strict=True)))
def test_heads(name, dim):
    features = torch.rand(5, 8)
    head = build_head(name, 8, 16, 4)
    assert head(features).shape == (5, dim)
    assert (head(features) is features) == (name == "none")
    is_linear = torch.allclose(
        head.eval()(2 * features) - head(features), head(features) - head(0 * features), atol=1e-5
    )
    assert is_linear == (name != "mlp")


def test_an_unknown_head_is_named():
    with pytest.raises(ValueError, match="unknown head 'deep': choose one of mlp, linear, none"):
        build_head("deep", 8, 16, 4)
