"""What the last wipe took, found in the old root or in a list, and brought back."""
