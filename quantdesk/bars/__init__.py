"""Build, fold and hold bars."""
