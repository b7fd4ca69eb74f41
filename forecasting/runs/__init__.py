"""One run: what it may know, what it decides, what it trains and forecasts, and how its series end."""
