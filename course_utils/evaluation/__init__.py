"""What a frozen encoder is worth: its features, a linear probe and nearest neighbors on them."""

from course_utils.evaluation.features import (
    FeatureSplits,
    Labeled,
    extract_features,
    extract_splits,
)
from course_utils.evaluation.linear_probe import (
    L2_STRENGTHS,
    LinearProbe,
    ProbeResult,
    draw_stratified,
    evaluate_linear,
    evaluate_linear_over_seeds,
    fit_linear_probe,
    quick_probe_accuracy,
    strengths_near,
)
from course_utils.evaluation.neighbors import (
    KNN_TEMPERATURE,
    knn_accuracy,
    knn_predict,
    nearest_neighbors,
)
from course_utils.evaluation.scores import (
    accuracy,
    confusion_matrix,
)

__all__ = [
    "KNN_TEMPERATURE",
    "L2_STRENGTHS",
    "FeatureSplits",
    "Labeled",
    "LinearProbe",
    "ProbeResult",
    "accuracy",
    "confusion_matrix",
    "draw_stratified",
    "evaluate_linear",
    "evaluate_linear_over_seeds",
    "extract_features",
    "extract_splits",
    "fit_linear_probe",
    "knn_accuracy",
    "knn_predict",
    "nearest_neighbors",
    "quick_probe_accuracy",
    "strengths_near",
]
