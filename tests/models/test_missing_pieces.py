"""The masked autoencoder sees what it may see and nothing else; the frame predictor draws what fits."""

import pytest
import torch

from course_utils.evaluation.clip_features import draw_missing, extract_clip_features
from course_utils.models.masked_autoencoder import MaskedAutoencoder, PatchEncoder, PooledPatches, grid_places
from course_utils.models.video import FrameEncoder, FramePredictor
from course_utils.pretext.patches import draw_hidden

GRAY = ([0.5] * 3, [0.25] * 3)


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = MaskedAutoencoder(PatchEncoder(16, 4, 32, 2, *GRAY), 32)
    for parameter in model.parameters():  # blocks start as the identity; here they are to do something
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.fixture
def images():
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def test_hidden_patches_can_not_be_seen(model, images):
    hidden = draw_hidden(3, 16, 0.75, torch.Generator().manual_seed(2))
    patches = model.encoder.to_patches(images)
    with torch.inference_mode():
        before = model(patches, hidden)
        changed = torch.where(hidden[..., None], torch.rand_like(patches), patches)
        assert torch.equal(model(changed, hidden), before)
        assert not torch.allclose(model(patches + 0.1, hidden), before, atol=1e-4)


def test_the_encoder_reads_visible_patches_in_any_order(model, images):
    patches, visible = model.encoder.to_patches(images), torch.tensor([[1, 5, 9]] * 3)
    with torch.inference_mode():
        found = model.encoder.encode(patches, visible)
        turned = model.encoder.encode(patches, visible.flip(1))
        everything = model.encoder.encode(patches, torch.arange(16).expand(3, -1))
        torch.testing.assert_close(turned.flip(1), found)
        torch.testing.assert_close(everything.mean(dim=1), model.encoder(images))


def test_what_was_visible_is_given_back(model, images):
    hidden = draw_hidden(3, 16, 0.5, torch.Generator().manual_seed(2))
    with torch.inference_mode():
        restored = model.restore(images, hidden)
    kept = model.encoder.to_patches(restored)[~hidden]
    torch.testing.assert_close(kept, model.encoder.to_patches(images)[~hidden], atol=1e-5, rtol=1e-5)
    assert 0 <= restored.min() <= restored.max() <= 1


def test_pooled_patches_are_means_of_quarters(model, images):
    with torch.inference_mode():
        vectors = model.encoder.encode(model.encoder.to_patches(images)).unflatten(1, (4, 4))
        pooled = PooledPatches(model.encoder, 2)(images).unflatten(1, (32, 2, 2))
        torch.testing.assert_close(pooled[:, :, 1, 0], vectors[:, 2:, :2].mean(dim=(1, 2)))


def test_places_are_all_different():
    places = grid_places(8, 32)
    assert places.shape == (64, 32)
    assert torch.cdist(places, places).fill_diagonal_(9.0).min() > 0.1


@pytest.mark.parametrize(
    ("size", "patch", "width", "words"), [(32, 5, 32, "use a divisor"), (8, 8, 32, "divisor"), (32, 4, 40, "of 32")]
)
def test_sizes_that_do_not_fit_are_refused(size, patch, width, words):
    with pytest.raises(ValueError, match=words):
        PatchEncoder(size, patch, width, 1, *GRAY)


@pytest.mark.parametrize("channels", [1, 3])
def test_frames_are_drawn_in_their_size(channels):
    torch.manual_seed(0)
    predictor = FramePredictor(FrameEncoder(4, channels, (8, 8, 8)))
    shown = torch.rand(5, 4, channels, 16, 24)
    buffers = [buffer.clone() for buffer in predictor.buffers()]
    drawn = draw_missing(predictor, shown)
    assert drawn.shape == (5, channels, 16, 24)
    assert 0 <= drawn.min() <= drawn.max() <= 1
    assert extract_clip_features(predictor.encoder, shown, grid=2).shape == (5, 3 * 8 * 4)
    assert all(torch.equal(a, b) for a, b in zip(buffers, predictor.buffers(), strict=True))
    predictor(shown).mean().backward()
    assert all(parameter.grad is not None for parameter in predictor.parameters())
