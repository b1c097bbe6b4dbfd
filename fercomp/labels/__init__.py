"""Labels as data: which are wrong, when to give none, and emotions as points. NumPy only."""
