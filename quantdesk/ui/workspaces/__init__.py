"""Keep named sets of windows, and what the windows of a set share."""
