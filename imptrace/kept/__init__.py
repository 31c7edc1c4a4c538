"""What is declared persistent, held against what was observed and what is on disk."""
