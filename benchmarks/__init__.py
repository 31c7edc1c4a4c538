"""What recording costs, measured on real programs: see docs/performance.md."""
