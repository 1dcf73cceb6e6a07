"""Hold what the screen shows, in Qt's core only."""
