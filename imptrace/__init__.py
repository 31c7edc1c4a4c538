"""Find out which paths a program must keep on an impermanent NixOS system, from evidence."""
