"""The recorder that asks another one: that of the machine, which a service runs."""
