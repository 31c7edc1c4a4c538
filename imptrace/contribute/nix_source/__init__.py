"""Nix source as a grammar's tree: read, edited and checked without losing a comment."""
