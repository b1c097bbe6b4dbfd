"""From pictures to faces with their emotions."""
