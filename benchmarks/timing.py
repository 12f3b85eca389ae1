"""How a race is run: ours and the peer in turn, several times, and the median of each."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import torch

TURNS = 7
SECONDS_A_TURN = 0.5

Contender = Callable[[], int]
"""Does its work once and returns how much that was: views made, fits done."""


class DisagreementError(Exception):
    """Ours and the peer do not compute the same, so their times can't be compared."""


@dataclass(frozen=True)
class Comparison:
    """One line of the results; a ratio above 1 says that ours is faster."""

    name: str
    ours: float
    peer: float
    ratio: float
    unit: str
    peer_version: str


def compare_rates(name: str, ours: Contender, peer: Contender, *, unit: str, package: str) -> Comparison:
    """Return how much each does a second, and how many times more ours does."""
    our_rate, peer_rate = race(ours, peer)
    return Comparison(name, our_rate, peer_rate, our_rate / peer_rate, unit, f"{package} {version(package)}")


def compare_seconds(name: str, ours: Contender, peer: Contender, *, package: str, turns: int = TURNS) -> Comparison:
    """Return how many seconds each takes for one piece of work, and how many times longer the peer does."""
    our_rate, peer_rate = race(ours, peer, turns)
    return Comparison(name, 1 / our_rate, 1 / peer_rate, our_rate / peer_rate, "s", f"{package} {version(package)}")


def compare_values(name: str, ours: float, peer: float, *, unit: str, package: str) -> Comparison:
    """Return what each reached, and the ratio, for what is measured once and not timed."""
    return Comparison(name, ours, peer, ours / peer, unit, f"{package} {version(package)}")


def race(ours: Contender, peer: Contender, turns: int = TURNS) -> tuple[float, float]:
    """Return the median amount of work a second of each; they take turns, so that a busy moment hits both."""
    contenders = (ours, peer)
    for contender in contenders:
        contender()  # the first time is for caches, workers and kernels
    rates = [[_measure(contender) for contender in contenders] for _ in range(turns)]
    our_rates, peer_rates = zip(*rates, strict=True)
    return statistics.median(our_rates), statistics.median(peer_rates)


def _measure(contender: Contender) -> float:
    amount, started = 0, time.perf_counter()
    while amount == 0 or time.perf_counter() - started < SECONDS_A_TURN:
        amount += contender()
    if torch.cuda.is_available():
        torch.cuda.synchronize()  # a GPU is asked and not waited for
    return amount / (time.perf_counter() - started)
