"""The networks below the head, and where their weights come from."""
