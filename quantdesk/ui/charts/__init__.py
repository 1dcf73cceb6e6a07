"""Draw a pair: candles, spread, z-score and correlation on one time axis.

What a user draws is kept beside the settings in `drawings.json` (`ui/kept_drawings.py`), by scope
(market, simulator, replay, file), panel and symbol or pair, anchored in time and value. On a chart
it is a layer (`ui/charts/layer.py`) over the items that draw data; indicators are items
(`ui/charts/indicator_lines.py`) over lines that `model/indicators.py` carries on bar by bar.
"""
