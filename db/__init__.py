"""KEEP: how events are stored in a database and asked for again."""
