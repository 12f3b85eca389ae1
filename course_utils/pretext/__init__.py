"""Pretext tasks: labels that the data makes for itself."""
