"""Sweeps: one spec, many runs, here or on a cluster."""

from course_utils.running.sweeps.runner import SweepOptions, SweepResult, run_sweep, sweep

__all__ = ["SweepOptions", "SweepResult", "run_sweep", "sweep"]
