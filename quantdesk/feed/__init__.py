"""Speak the exchange's protocol: frames in, ticks out."""
