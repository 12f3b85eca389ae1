"""What came out of labeling: how long each label took, and how many were wrong."""

import statistics
from dataclasses import dataclass
from typing import Protocol

from course_utils.labeling import LABEL_KINDS

LEAST_LABELS = 5  # fewer say nothing about a person's pace


@dataclass(frozen=True)
class LabelingSession:
    """Labels by one person, or the published figure that stands in for them.

    Args:
        kind: a key of `labeling.LABEL_KINDS`.
        seconds: of each label, from the image's appearance to the answer.
        num_errors: how many answers differ from the true labels; None where there are none to compare with.
        origin: in words, who was timed.
    """

    kind: str
    seconds: tuple[float, ...]
    num_errors: int | None
    origin: str

    @property
    def median_seconds(self) -> float:
        """Seconds of the middle label; 0 if there are none."""
        return statistics.median(self.seconds) if self.seconds else 0.0

    def describe(self) -> str:
        """Return the session in one line."""
        middle = " (median)" if len(self.seconds) > 1 else ""
        errors = "" if self.num_errors is None else f", {self.num_errors} of {len(self.seconds)} wrong"
        return f"{self.kind}: {self.median_seconds:.1f} s a label{middle}{errors}; {self.origin}"


class Labeler(Protocol):
    """A widget with a session."""

    @property
    def session(self) -> LabelingSession:
        """What has been labeled so far."""


def session_or_published(labeler: Labeler) -> LabelingSession:
    """Return the learner's session, or, with fewer than five labels, the published time, saying that it is that."""
    session = labeler.session
    if len(session.seconds) >= LEAST_LABELS:
        return session
    published = LABEL_KINDS[session.kind].seconds
    origin = f"nobody was timed here, this is from the literature ({published.source})"
    return LabelingSession(session.kind, (published.value,), None, origin)
