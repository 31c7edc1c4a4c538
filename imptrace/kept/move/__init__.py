"""Copying what exists into the store before the first switch hides it."""
