# What the package, the shell and the checks of this repository are made with. Fetched when one
# of them is asked for, so that the flake needs no inputs and nobody's lock file grows by it.
builtins.mapAttrs (_: builtins.fetchTarball) (builtins.fromJSON (builtins.readFile ./pins.json))
