"""Serve a local exchange that speaks the real one's protocol."""
