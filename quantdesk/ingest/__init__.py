"""Fan ticks out to the store and to whoever listens, each exactly once."""
