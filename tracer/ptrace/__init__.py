"""Recording by python-ptrace: launches programs and attaches to what runs."""
