"""How a repository keeps its persistence modules, one layout a module."""
