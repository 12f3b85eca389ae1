"""What a learner can click, drag and slide in JupyterLab; each has a picture that stands in without a browser."""

from course_utils.widgets.blanks import FillInTheBlank
from course_utils.widgets.continuing import WordByWord
from course_utils.widgets.feature_map import FeatureMap
from course_utils.widgets.labelers import BoxLabeler, ClassLabeler
from course_utils.widgets.quizzes import Quiz, load_quiz
from course_utils.widgets.sessions import LabelingSession, session_or_published
from course_utils.widgets.sliders import explore
from course_utils.widgets.turns import make_turn_figure, turn_explorer
from course_utils.widgets.views import make_views_figure, views_explorer

__all__ = [
    "BoxLabeler",
    "ClassLabeler",
    "FeatureMap",
    "FillInTheBlank",
    "LabelingSession",
    "Quiz",
    "WordByWord",
    "explore",
    "load_quiz",
    "make_turn_figure",
    "make_views_figure",
    "session_or_published",
    "turn_explorer",
    "views_explorer",
]
