"""What `annotate` has put on record, as one page and a table."""
