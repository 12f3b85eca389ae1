"""Checks of the exercises: each gives a hint, not the answer, and knows the common mistakes by name."""

from course_utils.checks.baselines import check_majority, check_share_right, check_shuffled_pixels
from course_utils.checks.boxes import check_halved_scores, check_iou, check_suppress
from course_utils.checks.label_costs import check_bill, check_labels_for, check_two_votes
from course_utils.checks.missing import check_backwards, check_go_on, check_pairs
from course_utils.checks.next_words import check_best_possible, check_daring, check_perplexity
from course_utils.checks.probes import check_mixed_features, check_protocol, check_standardize
from course_utils.checks.start import check_bigger_square, check_next_number
from course_utils.checks.turns import check_half_turn, check_mirrored, check_turn_labels
from course_utils.checks.verdicts import Mistake, Verdict, judge_function, judge_guess
from course_utils.checks.views import check_chance, check_color_shortcut, check_one_sided
from course_utils.checks.words import check_choose, check_hiding_more, check_masked_loss

__all__ = [
    "Mistake",
    "Verdict",
    "check_backwards",
    "check_best_possible",
    "check_bigger_square",
    "check_bill",
    "check_chance",
    "check_choose",
    "check_color_shortcut",
    "check_daring",
    "check_go_on",
    "check_half_turn",
    "check_halved_scores",
    "check_hiding_more",
    "check_iou",
    "check_labels_for",
    "check_majority",
    "check_masked_loss",
    "check_mirrored",
    "check_mixed_features",
    "check_next_number",
    "check_one_sided",
    "check_pairs",
    "check_perplexity",
    "check_protocol",
    "check_share_right",
    "check_shuffled_pixels",
    "check_standardize",
    "check_suppress",
    "check_turn_labels",
    "check_two_votes",
    "judge_function",
    "judge_guess",
]
