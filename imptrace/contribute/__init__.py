"""From advice to a commit: the repository, the layouts that are known, and the message."""
