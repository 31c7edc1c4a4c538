"""Recording: from a command, a process, a unit or a log to a stored run."""
