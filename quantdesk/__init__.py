"""Show a pair of instruments live, keep every trade, and say whether to believe the statistics."""

__version__ = "0.1.0"
