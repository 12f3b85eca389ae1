"""What a learner can click, drag and slide in JupyterLab; each has a picture that stands in without a browser."""

from course_utils.widgets.blanks import FillInTheBlank
from course_utils.widgets.labelers import BoxLabeler, ClassLabeler
from course_utils.widgets.sessions import LabelingSession, session_or_published
from course_utils.widgets.sliders import explore

__all__ = ["BoxLabeler", "ClassLabeler", "FillInTheBlank", "LabelingSession", "explore", "session_or_published"]
