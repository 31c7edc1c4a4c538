"""Worked cases; see README.md."""
