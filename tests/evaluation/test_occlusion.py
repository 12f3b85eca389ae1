"""A network that looks at one corner only is found out."""

import pytest
import torch
from torch import nn

from course_utils.evaluation.occlusion import occlusion_map


class LooksAtTheCorner(nn.Module):
    def forward(self, images):
        """The brighter the upper left 2 × 2 pixels, the surer of class 1."""
        evidence = 10 * images[:, :, :2, :2].mean(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(evidence), evidence], dim=1)


def test_only_covering_what_is_looked_at_costs():
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    image[:, :2, :2] = 255
    lost = occlusion_map(LooksAtTheCorner(), image, label=1, patch=2, stride=2)
    assert lost.shape == (4, 4)
    assert lost[0, 0] > 0.3
    assert lost.flatten()[1:].abs().max() == 0
    other = occlusion_map(LooksAtTheCorner(), image, label=0, patch=2, stride=2)
    torch.testing.assert_close(other, -lost)


@pytest.mark.parametrize(("patch", "stride"), [(9, 1), (0, 1), (2, 0)])
def test_squares_that_do_not_fit(patch, stride):
    with pytest.raises(ValueError, match="doesn't fit an image of 8 × 8"):
        occlusion_map(LooksAtTheCorner(), torch.zeros(3, 8, 8, dtype=torch.uint8), 1, patch, stride)
