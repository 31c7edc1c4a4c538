"""Evidence that can leave the machine: reduced, anonymised, and read back on another one."""
