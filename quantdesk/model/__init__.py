"""Hold what the screen shows, in Qt's core only.

Candles of the spread (`analytics/spread_bars.py`) come of trades alone: `model/spread_bars.py`
folds memory's in the pool while somebody looks, and asks by `trades_wanted` for what
`app/stored_trades.py` reads of the store, bounded, for the rows in sight. A row is a candle only if
those trades reach the highs, lows and closes of both legs' bars; every other one is its close.

Frozen hedge lines are kept by venue, pair, interval and what they were fitted by
(`model/kept_lines.py`; `ui/line_flow.py` writes `hedge_lines.json` beside the settings), for every
window. Only those of the live market: a replay, the simulator and files have a book of their own
that ends with their source, a replay's also where it goes back (`model/held_lines.py`).
"""
