"""Runs beside each other: in a terminal, on a page, as CSV and JSON."""

from course_utils.running.comparison.groups import Comparison, Group, Measured, Run, compare

__all__ = ["Comparison", "Group", "Measured", "Run", "compare"]
