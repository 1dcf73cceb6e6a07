"""Draw a pair: candles, spread, z-score and correlation on one time axis."""
