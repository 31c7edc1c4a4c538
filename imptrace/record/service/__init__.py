"""Record a systemd unit as it really runs: prepare the unit, run the recorder, clean up."""
