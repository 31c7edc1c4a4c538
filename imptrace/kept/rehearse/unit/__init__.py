"""A unit of systemd in a private copy of the machine, under a manager of its own."""
