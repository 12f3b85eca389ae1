"""Asking language models: what stands in a blank, what comes next, and how sure they are."""
