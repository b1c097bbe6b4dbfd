"""The folder of a trained model: its card, and what runs it."""
