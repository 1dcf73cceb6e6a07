"""Judge any metric of a pair by rules: what fires, what is held back, what became of it. Pure."""
