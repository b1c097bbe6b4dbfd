"""Facial-emotion recognition for a competition with noisy labels, and for showing it to people."""

__version__ = "0.1.0"
