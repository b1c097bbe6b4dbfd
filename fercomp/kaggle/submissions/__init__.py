"""CSV files for Kaggle: written, checked, sent once, scored, and the record of them."""
