"""Kaggle: its client, what it answers and refuses, what is downloaded and sent."""
