"""What is put on record: rows, the tables that hold them, Parquet."""
