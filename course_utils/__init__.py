"""Tested helpers of a notebook course on self-supervised learning."""

__version__ = "0.1.0"
