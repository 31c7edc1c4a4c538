"""What commands do, where that needs more than their help: imported when the command runs."""
