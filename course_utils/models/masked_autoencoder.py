"""A small masked autoencoder: an encoder of what is visible, a light decoder for the rest (He et al. 2022)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.pretext.patches import patchify, unpatchify

HEAD_DIM = 32


class PatchEncoder(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2021) that reads any subset of an image's patches.

    Args:
        image_size: pixels of a side, a multiple of `patch`.
        patch: pixels of a square's side.
        width: length of a patch's vector, a multiple of 32.
        num_layers: blocks.
        mean, std: of the training images' channels, in [0, 1].

    Raises:
        ValueError: sizes that do not fit together.
    """

    mean: Tensor
    std: Tensor
    places: Tensor

    def __init__(
        self, image_size: int, patch: int, width: int, num_layers: int, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        super().__init__()
        if image_size % patch or image_size // patch < 2:
            raise ValueError(f"an image of {image_size} pixels can't be cut into squares of {patch}: use a divisor")
        if width % HEAD_DIM:
            raise ValueError(f"width must be a multiple of {HEAD_DIM}, got {width}")
        self.image_size, self.patch, self.feature_dim = image_size, patch, width
        self.num_patches = (image_size // patch) ** 2
        self.embed = nn.Linear(len(mean) * patch**2, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.register_buffer("places", grid_places(image_size // patch, width), persistent=False)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the features: all patches are seen, and their vectors averaged.

        Shape: images (batch, C, size, size), floats in [0, 1] → (batch, width).
        """
        return self.encode(self.to_patches(images)).mean(dim=1)

    def to_patches(self, images: Tensor) -> Tensor:
        """Return the standardized images' squares, (batch, patches, C · patch²)."""
        return patchify((images - self.mean) / self.std, self.patch)

    def to_images(self, patches: Tensor) -> Tensor:
        """Return the images, in [0, 1], whose squares these are."""
        size = (self.image_size, self.image_size)
        return (unpatchify(patches, self.patch, size) * self.std + self.mean).clamp(0, 1)

    def encode(self, patches: Tensor, visible: Tensor | None = None) -> Tensor:
        """Return a vector for each visible patch.

        Shape: patches (batch, patches, values), visible (batch, kept) int64 → (batch, kept, width); None: all.
        """
        x = self.embed(patches) + self.places
        if visible is not None:
            x = x.gather(1, visible[..., None].expand(-1, -1, x.shape[2]))
        for block in self.blocks:
            x = block(x)
        hidden: Tensor = self.norm(x)
        return hidden


class PooledPatches(nn.Module):
    """An encoder's vectors averaged over a grid of `grid` rows and columns of the image, as one row of features."""

    def __init__(self, encoder: PatchEncoder, grid: int = 2) -> None:
        super().__init__()
        self.encoder, self.grid = encoder, grid

    def forward(self, images: Tensor) -> Tensor:
        """Shape: images (batch, C, size, size), floats in [0, 1] → (batch, width · grid²)."""
        side = self.encoder.image_size // self.encoder.patch
        vectors = self.encoder.encode(self.encoder.to_patches(images))  # (batch, side², width)
        maps = vectors.transpose(1, 2).unflatten(2, (side, side))
        return F.adaptive_avg_pool2d(maps, self.grid).flatten(1)


class MaskedAutoencoder(nn.Module):
    """An encoder of what is visible, and a light decoder that is thrown away after training.

    Args:
        encoder: see there.
        decoder_width: length of a vector in the decoder, a multiple of 32.
        decoder_layers: its blocks.
    """

    places: Tensor

    def __init__(self, encoder: PatchEncoder, decoder_width: int = 64, decoder_layers: int = 1) -> None:
        super().__init__()
        self.encoder = encoder
        self.to_decoder = nn.Linear(encoder.feature_dim, decoder_width)
        self.missing = nn.Parameter(torch.randn(decoder_width) * 0.02)  # what stands where nothing was seen
        self.decoder = nn.ModuleList(Block(decoder_width) for _ in range(decoder_layers))
        self.norm = nn.LayerNorm(decoder_width)
        self.predict = nn.Linear(decoder_width, encoder.embed.in_features)
        side = encoder.image_size // encoder.patch
        self.register_buffer("places", grid_places(side, decoder_width), persistent=False)

    def forward(self, patches: Tensor, hidden: Tensor) -> Tensor:
        """Return all patches' predicted values.

        Shape: patches (batch, patches, values), hidden (batch, patches) bool, equally many in every row → as patches.
        """
        order = hidden.to(torch.uint8).argsort(dim=1, stable=True)  # visible ones first
        visible = order[:, : int((~hidden[0]).sum())]
        seen = self.to_decoder(self.encoder.encode(patches, visible))  # (batch, kept, decoder_width)
        x = self.missing.to(seen.dtype).expand(*patches.shape[:2], -1)
        x = x.scatter(1, visible[..., None].expand_as(seen), seen) + self.places
        for block in self.decoder:
            x = block(x)
        predicted: Tensor = self.predict(self.norm(x))
        return predicted

    def restore(self, images: Tensor, hidden: Tensor) -> Tensor:
        """Return images (batch, C, size, size) whose hidden patches (batch, patches) are predicted, in [0, 1]."""
        patches = self.encoder.to_patches(images)
        predicted = self(patches, hidden).float()
        return self.encoder.to_images(torch.where(hidden[..., None], predicted, patches))

    def matrices(self) -> list[nn.Parameter]:
        """Return the blocks' matrices, which Muon moves."""
        blocks = [*self.encoder.blocks, *self.decoder]
        return [parameter for block in blocks for parameter in block.parameters() if parameter.ndim == 2]


class Block(nn.Module):
    """Attention and a feed-forward part, each behind a norm and beside a shortcut; it starts as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_norm, self.forward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Shape: (batch, patches, width) → the same."""
        projected = self.qkv(self.attention_norm(x)).unflatten(2, (3, -1, HEAD_DIM))
        q, k, v = projected.permute(2, 0, 3, 1, 4)  # each (batch, heads, patches, HEAD_DIM)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        hidden: Tensor = x + self.down(F.gelu(self.up(self.forward_norm(x))))
        return hidden


def grid_places(side: int, width: int) -> Tensor:
    """Return fixed vectors that tell places of a square grid apart: sines and cosines of row and of column.

    Shape: (side², width); half of `width` for the row, half for the column.
    """
    speeds = 100.0 ** -(torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * speeds  # (side, width / 4)
    along = torch.cat([angles.sin(), angles.cos()], dim=1)  # (side, width / 2)
    rows, columns = along.repeat_interleave(side, dim=0), along.repeat(side, 1)
    return torch.cat([rows, columns], dim=1)
