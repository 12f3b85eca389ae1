"""What a frozen network says of clips: its features, averaged over a coarse grid, and the frames that it draws."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.evaluation.features import extract_features
from course_utils.models.video import FrameEncoder, FramePredictor


class PooledClips(nn.Module):
    """All blocks' maps of an encoder, averaged over a grid of `grid` rows and columns, as one row of features."""

    def __init__(self, encoder: FrameEncoder, grid: int = 2) -> None:
        super().__init__()
        self.encoder, self.grid = encoder, grid

    def forward(self, shown: Tensor) -> Tensor:
        """Shape: (batch, T, C, H, W), floats in [0, 1] → (batch, channels of all blocks · grid²)."""
        maps = self.encoder.forward_blocks(shown)
        return torch.cat([F.adaptive_avg_pool2d(each, self.grid).flatten(1) for each in maps], dim=1)


def extract_clip_features(encoder: FrameEncoder, shown: Tensor, grid: int = 2) -> Tensor:
    """Return the frozen encoder's features of clips, in eval mode; shapes as for `PooledClips`."""
    return extract_features(PooledClips(encoder, grid), in_8_bits(shown))


def draw_missing(predictor: FramePredictor, shown: Tensor) -> Tensor:
    """Return the frames that a network draws, in eval mode; (N, T, C, H, W) → (N, C, H, W), within [0, 1]."""
    drawn = extract_features(predictor, in_8_bits(shown))  # (N, C · H · W)
    return drawn.view(len(shown), *shown.shape[2:]).clamp(0, 1)


def in_8_bits(frames: Tensor) -> Tensor:
    """Return frames with values in [0, 1] as files hold them, uint8."""
    return (frames * 255).round().byte()
