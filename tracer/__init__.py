"""OBSERVE: how accesses are seen. One module per recorder, all yield the events of `events`."""
