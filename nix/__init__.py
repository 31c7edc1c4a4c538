"""The NixOS side. Python reads only the catalogue here: services/*.toml and home/*.toml."""
