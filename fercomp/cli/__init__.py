"""The commands: each reads its options, calls the library, writes, and says what it did."""
