"""The version, for all that note by what they were made."""

__version__ = "0.1.0"
