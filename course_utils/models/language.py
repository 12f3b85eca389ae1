"""A small transformer for texts: tokens in, a vector for each token out, and a layer that names hidden ones."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.data.tokenization import PAD

ROTARY_BASE = 1000.0  # the slowest turn takes a few thousand tokens; texts here are short


@dataclass(frozen=True)
class LanguageShape:
    """What builds a network; the options' defaults learn in minutes, and notebook 04 takes them away again.

    Args:
        vocab_size: how many tokens there are.
        max_tokens: of the longest sequence.
        width: length of a token's vector, a multiple of `head_dim`.
        num_layers: blocks.
        head_dim: of each attention head, even.
        positions: "rotary" (turned into the queries and keys; Su et al. 2021) or "learned" (added; Devlin et al. 2019).
        local_window: tokens that each block's depthwise convolution sees, odd; 0: no convolution.
        quiet_start: every block begins as the identity and the answer as the words' frequencies; otherwise all
            matrices are small random numbers, as in BERT.
        tied_output: the answer's vectors are the input's.
        causal: a token sees only what is left of it, and itself.

    Raises:
        ValueError: sizes that do not fit together.
    """

    vocab_size: int
    max_tokens: int = 64
    width: int = 128
    num_layers: int = 2
    head_dim: int = 32
    positions: Literal["rotary", "learned"] = "rotary"
    local_window: int = 7
    quiet_start: bool = True
    tied_output: bool = False
    causal: bool = False

    def __post_init__(self) -> None:
        if self.head_dim < 2 or self.head_dim % 2 or self.width % self.head_dim:
            raise ValueError(f"width must be a multiple of an even head_dim, got {self.width} and {self.head_dim}")
        if self.positions not in ("rotary", "learned"):
            raise ValueError(f"positions must be 'rotary' or 'learned', got {self.positions!r}")
        if self.local_window and self.local_window % 2 == 0:
            raise ValueError(f"local_window must be odd or 0, got {self.local_window}")


CARELESS: dict[str, Any] = {"positions": "learned", "local_window": 0, "quiet_start": False, "tied_output": True}
"""The options of a common "BERT from scratch", which stays at the words' frequencies for long."""


class LanguageEncoder(nn.Module):
    """Tokens to vectors: embedding, pre-norm blocks (Xiong et al. 2020), a last norm."""

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        self.shape, self.feature_dim = shape, shape.width
        self.embed = nn.Embedding(shape.vocab_size, shape.width)
        self.places: nn.Embedding | None = None
        if shape.positions == "learned":
            self.places = nn.Embedding(shape.max_tokens, shape.width)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.num_layers))
        self.norm = nn.LayerNorm(shape.width)
        turns = ROTARY_BASE ** -(torch.arange(shape.head_dim // 2) / (shape.head_dim // 2))
        angles = torch.arange(shape.max_tokens)[:, None] * turns  # (max_tokens, head_dim / 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return each token's vector; what stands at padding means nothing, and others do not see it.

        Shape: (batch, tokens) int64 → (batch, tokens, width).

        Raises:
            ValueError: the sequences are longer than `max_tokens`.
        """
        hidden: Tensor = self.norm(self._forward_blocks(tokens)[-1])
        return hidden

    def attention(self, tokens: Tensor) -> list[Tensor]:
        """Return how much each token (rows) looks at each (columns), by block: (batch, heads, tokens, tokens)."""
        keep, inputs = self._visible(tokens), self._forward_blocks(tokens)[:-1]
        pairs: list[tuple[Any, Tensor]] = list(zip(self.blocks, inputs, strict=True))
        return [block.weights(x, *self._turns(tokens), keep) for block, x in pairs]

    def _forward_blocks(self, tokens: Tensor) -> list[Tensor]:
        """Return the first block's input and every block's output, (batch, tokens, width) each."""
        if tokens.shape[1] > self.shape.max_tokens:
            raise ValueError(f"the text has {tokens.shape[1]} tokens, but the model reads {self.shape.max_tokens}")
        x = self.embed(tokens)
        if self.places is not None:
            x = x + self.places.weight[: tokens.shape[1]]
        states, keep = [F.layer_norm(x, x.shape[-1:]) if self.shape.quiet_start else x], self._visible(tokens)
        for block in self.blocks:
            states.append(block(states[-1], *self._turns(tokens), keep))
        return states

    def _visible(self, tokens: Tensor) -> Tensor | None:
        """Return which tokens are no padding, (batch, tokens) bool, or None if all are."""
        keep = tokens != PAD
        return None if bool(keep.all()) else keep

    def _turns(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]


class MaskedLanguageModel(nn.Module):
    """An encoder, and on top of it a linear layer that names the token at each chosen place.

    Args:
        encoder: see there.
        frequencies: of the tokens in the training texts, (vocab_size,), above 0, summing to 1; with a quiet start the
            untrained network answers by them.
    """

    def __init__(self, encoder: LanguageEncoder, frequencies: Tensor | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.predict = nn.Linear(encoder.feature_dim, encoder.shape.vocab_size)
        if encoder.shape.tied_output:
            self.predict.weight = encoder.embed.weight
        if encoder.shape.quiet_start:
            nn.init.normal_(encoder.embed.weight, std=0.5)
            nn.init.zeros_(self.predict.weight)
            if frequencies is not None:
                self.predict.bias.data.copy_(frequencies.log())
        else:
            self.apply(_start_like_bert)

    def forward(self, tokens: Tensor, chosen: Tensor) -> Tensor:
        """Return the logits of what was at the chosen places, (num_chosen, vocab_size).

        Shape: tokens (batch, tokens) int64, chosen (batch, tokens) bool.
        """
        logits: Tensor = self.predict(self.encoder(tokens)[chosen])  # only there: the layer is the costly one
        return logits

    def matrices(self) -> list[nn.Parameter]:
        """Return the blocks' matrices, which Muon moves."""
        return [parameter for parameter in self.encoder.blocks.parameters() if parameter.ndim == 2]


def build_language_model(shape: LanguageShape, frequencies: Tensor | None = None) -> MaskedLanguageModel:
    """Return an untrained network, from torch's global random numbers."""
    return MaskedLanguageModel(LanguageEncoder(shape), frequencies)


def describe_shape(shape: LanguageShape) -> dict[str, Any]:
    """Return a shape as plain data: `LanguageShape(**…)` builds it again."""
    return asdict(shape)


class _Block(nn.Module):
    """A depthwise convolution, attention and a feed-forward part, each beside a shortcut and behind a norm."""

    def __init__(self, shape: LanguageShape) -> None:
        super().__init__()
        width, self.shape = shape.width, shape
        self.attention_norm, self.forward_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.local = _Local(width, shape.local_window, shape.causal) if shape.local_window else None
        if shape.quiet_start:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.down.weight)
            nn.init.zeros_(self.down.bias)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, keep: Tensor | None) -> Tensor:
        """Shape: x (batch, tokens, width), cos and sin (tokens, head_dim / 2), keep (batch, tokens) bool."""
        x = self._see_near(x, keep)
        q, k, v = self._queries_keys_values(x, cos, sin)
        mask, causal = None if keep is None else keep[:, None, None, :], self.shape.causal
        if mask is not None and causal:
            mask, causal = mask & _lower(x), False
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)  # (batch, heads, tokens, dim)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        hidden: Tensor = x + self.down(F.gelu(self.up(self.forward_norm(x))))
        return hidden

    def weights(self, x: Tensor, cos: Tensor, sin: Tensor, keep: Tensor | None) -> Tensor:
        """Return what attention looks at, (batch, heads, tokens, tokens), rows summing to 1."""
        q, k, _ = self._queries_keys_values(self._see_near(x, keep), cos, sin)
        scores = q @ k.transpose(2, 3) / self.shape.head_dim**0.5
        if keep is not None:
            scores = scores.masked_fill(~keep[:, None, None, :], -torch.inf)
        if self.shape.causal:
            scores = scores.masked_fill(~_lower(x), -torch.inf)
        return scores.softmax(dim=3)

    def _see_near(self, x: Tensor, keep: Tensor | None) -> Tensor:
        return x if self.local is None else x + self.local(x, keep)

    def _queries_keys_values(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return three tensors (batch, heads, tokens, head_dim); rotary positions are in the first two."""
        projected = self.qkv(self.attention_norm(x)).unflatten(2, (3, -1, self.shape.head_dim))
        q, k, v = projected.permute(2, 0, 3, 1, 4)  # from (batch, tokens, 3, heads, head_dim)
        if self.shape.positions == "rotary":
            q, k = _turn(q, cos, sin), _turn(k, cos, sin)
        return q, k, v


class _Local(nn.Module):
    """A depthwise convolution over neighboring tokens; causal, it sees those to the left only."""

    def __init__(self, width: int, window: int, causal: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.kernel = nn.Parameter(torch.randn(width, 1, window) * 0.1)
        self.bias = nn.Parameter(torch.zeros(width))
        self.padding = (window - 1, 0) if causal else (window // 2, window // 2)

    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """Shape: (batch, tokens, width) → the same."""
        x = self.norm(x)
        if keep is not None:
            x = x * keep[:, :, None]  # padding is as if the text ended
        x = F.pad(x.transpose(1, 2), self.padding)  # (batch, width, tokens + window − 1)
        return F.conv1d(x, self.kernel, self.bias, groups=len(self.bias)).transpose(1, 2)


def _start_like_bert(module: nn.Module) -> None:
    """Set a part's weights to small random numbers (Devlin et al.'s code: standard deviation 0.02)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pairs of coordinates by the place's angle; (batch, heads, tokens, head_dim), cos and sin (tokens, half)."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1).to(x.dtype)


def _lower(x: Tensor) -> Tensor:
    """Return which token may see which when only the left is seen, (tokens, tokens) bool."""
    return torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril()
