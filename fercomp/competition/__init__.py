"""Where the competition's files come from and where answers go."""
