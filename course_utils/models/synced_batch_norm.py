"""Batch norm over the batch of all processes, also on CPUs, for which torch has none."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from course_utils.teamwork import count_processes, put_in_row


class SyncedBatchNorm(_BatchNorm):
    """Batch norm (Ioffe & Szegedy 2015) whose mean and variance are those of all processes' examples together.

    In eval mode, and in a process that is alone, it is torch's own.

    Shape: (batch, channels, …), the same in all processes → the same.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Normalize each channel; in training by this batch, else by what was kept."""
        if not self.training or not count_processes() > 1:
            return super().forward(values)
        dims = [0, *range(2, values.ndim)]
        wide = values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
        var, mean = torch.var_mean(wide, dim=dims, correction=0)  # (channels,) each
        means, variances = put_in_row(torch.stack([mean, var])).unbind(1)  # (processes, channels) each
        mean = means.mean(dim=0)
        # of parts of one size: what varies inside them, and between them
        var = variances.mean(dim=0) + (means - mean).square().mean(dim=0)
        self._keep(mean.detach(), var.detach(), values.numel() // values.shape[1] * len(means))
        shape = (1, -1, *[1] * (values.ndim - 2))
        normal = (wide - mean.view(shape)) * (var + self.eps).rsqrt().view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
        return normal.to(values.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"batch norm needs (batch, channels, …), got {tuple(input.shape)}")

    def _keep(self, mean: Tensor, var: Tensor, count: int) -> None:
        """Move the running statistics, with the unbiased variance, as torch does."""
        if not self.track_running_stats or self.running_mean is None or self.running_var is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked or 1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_((var * count / max(count - 1, 1)).to(self.running_var.dtype), share)


def synchronize_batch_norm(model: nn.Module, device: torch.device) -> None:
    """Let every batch norm inside `model` see the batch of all processes; parameters and buffers stay the same ones.

    Args:
        model: changed in place; batch norms inside it are replaced.
        device: on CUDA torch's own SyncBatchNorm is used, which is faster there.
    """
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return
    for name, child in list(model.named_children()):
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            setattr(model, name, _synced(child))
        else:
            synchronize_batch_norm(child, device)


def _synced(norm: _BatchNorm) -> SyncedBatchNorm:
    synced = SyncedBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    for kept in (norm._parameters, norm._buffers):
        for name, tensor in kept.items():
            setattr(synced, name, tensor)
    return synced.train(norm.training)
