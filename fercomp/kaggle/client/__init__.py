"""Kaggle's own client, signed in: what it answers and refuses, and how bytes are downloaded."""
