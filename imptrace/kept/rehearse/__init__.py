"""A program in a private copy of the machine that is wiped, to see if its state comes back."""
