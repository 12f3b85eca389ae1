"""Batches of any size through an encoder that has room for a few images only, with the exact gradient."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

NUM_GROUPS = 8


class GradientCached(nn.Module):
    """An encoder that keeps only one chunk's activations (GradCache, Gao et al. 2021).

    A contrastive loss needs the projections of the whole batch at once, but these are small; what fills the memory are
    the encoder's activations. So each chunk is encoded and its activations are dropped; the loss gives the gradient by
    each projection; then each chunk is encoded a second time, with the same random numbers, and its gradient is taken
    further into the encoder, chunk by chunk. That is one more forward pass: about a third more work. Unlike the sum of
    small batches' gradients, it is exactly the gradient of the large batch, for each view keeps all its rivals.

    The two passes are those of PyTorch's checkpointing, whose unit is here a chunk of examples and not a block of
    layers. So the encoder is used as ever, in `training.fit`, in half precision, under fabric or
    `DistributedDataParallel` (wrap this module in it, not the other way round).

    Args:
        encoder: computes each example by itself. Chance in it, such as dropout, must come from torch's global
            generators: only their state is put back for the second pass.
        chunk_size: examples at a time.

    Raises:
        ValueError: a chunk of no examples.
    """

    def __init__(self, encoder: nn.Module, chunk_size: int) -> None:
        super().__init__()
        if chunk_size < 1:
            raise ValueError(f"chunk_size must be at least 1 example, got {chunk_size}")
        self.encoder = encoder
        self.chunk_size = chunk_size

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the encoder's output for all inputs.

        Shape: (batch, …) → (batch, …).

        Raises:
            ValueError: the encoder computes with statistics of its batch, which chunks would change.
        """
        name = find_batch_statistics(self.encoder)
        if name is not None:
            raise ValueError(
                f"gradient caching needs an encoder that computes each example by itself, but {name!r} takes mean and "
                "spread from its batch, and a chunk has others: use `without_batch_norm(encoder)`, or put it in eval "
                "mode, or do without caching"
            )
        chunks = inputs.split(self.chunk_size)
        if not torch.is_grad_enabled():
            return torch.cat([self.encoder(chunk) for chunk in chunks])
        return torch.cat([checkpoint(self.encoder, chunk, use_reentrant=False) for chunk in chunks])


def find_batch_statistics(model: nn.Module) -> str | None:
    """Return the name of the first layer that computes with its batch's mean and spread, or None."""
    for name, module in model.named_modules():
        if isinstance(module, _BatchNorm) and (module.training or module.running_mean is None):
            return name or type(module).__name__
    return None


def without_batch_norm(model: nn.Module, num_groups: int = NUM_GROUPS) -> nn.Module:
    """Return the model with group norm (Wu and He 2018) in place of batch norm, changed in place.

    Group norm takes mean and spread over groups of an example's own channels. The new layers keep weight and bias;
    what the batch norm had learned of the data's statistics is lost, so do it before training.

    Args:
        model: e.g. encoder and head.
        num_groups: of each layer's channels; where they can't be divided so, the next smaller number that can.

    Raises:
        ValueError: no groups.
    """
    if num_groups < 1:
        raise ValueError(f"num_groups must be at least 1, got {num_groups}")
    if isinstance(model, _BatchNorm):
        return _group_norm(model, num_groups)
    for name, child in model.named_children():
        setattr(model, name, without_batch_norm(child, num_groups))
    return model


def _group_norm(norm: _BatchNorm, num_groups: int) -> nn.GroupNorm:
    channels = norm.num_features
    groups = next(count for count in range(min(num_groups, channels), 0, -1) if channels % count == 0)
    replacement = nn.GroupNorm(groups, channels, eps=norm.eps, affine=norm.affine)
    if norm.affine:
        replacement.weight, replacement.bias = norm.weight, norm.bias
        replacement.to(norm.weight.device)
    return replacement
