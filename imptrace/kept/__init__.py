"""What is declared, what is on disk, and what is kept."""
