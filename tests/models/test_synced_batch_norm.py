"""Alone, a synchronized batch norm is torch's; with others see tests/test_together.py."""

import pytest
import torch
from torch import nn

from course_utils.models.synced_batch_norm import SyncedBatchNorm, synchronize_batch_norm


def test_every_batch_norm_is_replaced_and_keeps_its_tensors():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16)))
    before = dict(model.state_dict(keep_vars=True))
    synchronize_batch_norm(model, torch.device("cpu"))
    after = dict(model.state_dict(keep_vars=True))
    assert isinstance(model[1], SyncedBatchNorm)
    assert isinstance(model[2][1], SyncedBatchNorm)
    assert list(before) == list(after)
    assert all(before[name] is after[name] for name in before), "optimizers hold the same parameters"


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("affine", [True, False])
def test_alone_it_is_torchs_own(is_training, affine):
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm2d(3, affine=affine))
    twin = nn.Sequential(nn.BatchNorm2d(3, affine=affine))
    synchronize_batch_norm(twin, torch.device("cpu"))
    values = torch.randn(4, 3, 5, 5)
    for _ in range(2):
        torch.testing.assert_close(twin.train(is_training)(values), model.train(is_training)(values))
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(twin.state_dict()[name], tensor)


def test_values_without_channels_are_refused():
    with pytest.raises(ValueError, match=r"batch norm needs \(batch, channels, …\), got \(3,\)"):
        SyncedBatchNorm(3)(torch.randn(3))
