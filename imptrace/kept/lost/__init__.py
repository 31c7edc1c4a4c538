"""What the last wipe took, found in the old root or in a list, and brought back."""

SAVED = b"/var/lib/imptrace/lost.json"
"""Where the list is kept from one boot to the next."""
