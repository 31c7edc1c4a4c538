"""What commands do that takes more than their help needs: each is imported when its command runs."""
