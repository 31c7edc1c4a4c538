"""What the next boot would take: found on disk, with level, writer and the option that keeps it."""
