"""The notebooks' pretraining as a command for long runs, on one process or many; see docs/pretraining.md."""
