"""Encoders and heads, and the files they are kept in."""
