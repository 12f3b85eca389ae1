"""What a learner can click, drag and slide in JupyterLab; each has a picture that stands in without a browser."""

from course_utils.widgets.blanks import FillInTheBlank
from course_utils.widgets.feature_map import FeatureMap
from course_utils.widgets.labelers import BoxLabeler, ClassLabeler
from course_utils.widgets.sessions import LabelingSession, session_or_published
from course_utils.widgets.sliders import explore
from course_utils.widgets.turns import make_turn_figure, turn_explorer

__all__ = [
    "BoxLabeler",
    "ClassLabeler",
    "FeatureMap",
    "FillInTheBlank",
    "LabelingSession",
    "explore",
    "make_turn_figure",
    "session_or_published",
    "turn_explorer",
]
