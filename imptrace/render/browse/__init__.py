"""The interactive view of what the next boot takes."""
