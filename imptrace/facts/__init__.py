"""What is true of Linux and NixOS, written once: the ground floor that everything above uses."""
