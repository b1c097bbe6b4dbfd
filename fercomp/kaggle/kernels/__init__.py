"""Kernels at Kaggle: packed, pushed, followed, and what they have left. `script.py` runs in them."""
