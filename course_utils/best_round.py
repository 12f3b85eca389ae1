"""Training in rounds, of which the one that was best on validation is kept."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lightning_fabric import Fabric
from torch import nn
from torch.optim import Optimizer

from course_utils.training import LossFunction, fit


@dataclass
class BestRound:
    """The network of the round that was best on validation."""

    model: nn.Module
    measure: Callable[[], float]
    state: dict[str, Any]
    value: float = -1.0
    number: int = 0

    def look(self, number: int) -> dict[str, float]:
        """Measure after a round, and keep the network if it is the best so far."""
        found = self.measure()
        if found > self.value:
            self.value, self.number, self.state = found, number, copy.deepcopy(self.model.state_dict())
        return {"validation": found}


def fit_best_round(
    model: nn.Module,
    compute_loss: LossFunction,
    measure: Callable[[], float],
    *,
    num_labeled: int,
    num_rounds: int,
    steps_per_round: int,
    batch_size: int,
    optimizers: Sequence[Optimizer],
    fabric: Fabric,
    seed: int,
    title: str,
) -> BestRound:
    """Train `model` in place by the one loop, measure after each round, and put the best round's weights back.

    Few labeled examples are gone through again and again to fill a batch: the loss takes `step.indices % num_labeled`.

    Args:
        model: what is trained.
        compute_loss: see `fit`.
        measure: the model on validation examples; more is better, and not below 0.
        num_labeled: examples there are.
        num_rounds, steps_per_round: how long, and how often is measured.
        batch_size, optimizers, fabric, seed, title: as for `fit`.
    """
    best = BestRound(model, measure, model.state_dict())
    fit(
        model,
        compute_loss,
        num_examples=math.ceil(batch_size / num_labeled) * num_labeled,
        num_steps=num_rounds * steps_per_round,
        batch_size=batch_size,
        optimizers=optimizers,
        fabric=fabric,
        seed=seed,
        callback=lambda steps: best.look(steps // steps_per_round),
        callback_steps=steps_per_round,
        title=title,
    )
    model.load_state_dict(best.state)
    return best
