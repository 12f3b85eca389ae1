"""A small convolutional network that sees a few frames at once and draws one that is missing."""

import itertools

from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.vision import ResidualBlock

WIDTHS = (32, 64, 128)


class FrameEncoder(nn.Module):
    """Frames, stacked like colors, to maps and features.

    Args:
        num_frames: how many are shown.
        channels: colors of a frame.
        widths: channels of the maps; each block halves rows and columns.
    """

    def __init__(self, num_frames: int, channels: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.num_frames, self.channels, self.feature_dim = num_frames, channels, widths[-1]
        inputs = (num_frames * channels, *widths[:-1])
        self.blocks = nn.ModuleList(ResidualBlock(a, b, stride=2) for a, b in zip(inputs, widths, strict=True))

    def forward(self, shown: Tensor) -> Tensor:
        """Return the features, the last maps averaged over space; (batch, T, C, H, W) → (batch, feature_dim)."""
        return self.forward_blocks(shown)[-1].mean(dim=(2, 3))

    def forward_blocks(self, shown: Tensor) -> list[Tensor]:
        """Return every block's maps, (batch, width, H / 2ⁱ, W / 2ⁱ)."""
        maps = [shown.flatten(1, 2)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return maps[1:]


class FramePredictor(nn.Module):
    """An encoder, and a decoder that draws the missing frame from its last maps alone.

    No shortcut leads past the encoder: what is to be drawn, and where, has to be in its features.
    """

    def __init__(self, encoder: FrameEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        widths = (encoder.feature_dim, 64, 32)
        self.steps = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in itertools.pairwise(widths)
        )
        self.draw = nn.Conv2d(widths[-1], 4 * encoder.channels, 3, padding=1)  # four pixels at each place

    def forward(self, shown: Tensor) -> Tensor:
        """Shape: (batch, T, C, H, W) → the missing frame (batch, C, H, W), about in [0, 1]."""
        x = self.encoder.forward_blocks(shown)[-1]
        for step in self.steps:
            x = F.interpolate(step(x), scale_factor=2.0, mode="nearest")
        return F.pixel_shuffle(self.draw(x), 2)
