"""A small chart of one series, drawn with characters for a terminal."""

import plotext

from forecasting.reports.charts import Line, SeriesChart


def sketch_series(
    chart: SeriesChart, *, width: int = 100, height: int = 20, months: int = 96, coloured: bool = True
) -> str:
    """Draw the newest months, the forecast and the seasonal naive of a series; the last line is the legend.

    width, height: of the chart in characters. months: how many are drawn, with those of the forecast.
    """
    lines = [
        (chart.observations, "observed", "blue", "braille"),
        (chart.seasonal_naive, "seasonal naive", "gray", "·"),
        (chart.forecast, "forecast", "magenta", "braille"),
    ]
    last = max(line.first + len(line.values) for line, *_ in lines if line is not None)
    start = max(chart.observations.first, last - months)
    figure = plotext.figure
    figure.clear()
    figure.theme("simple")
    figure.canvas("default")
    figure.plot_size(width, height)
    legend = [f"{chart.name}, {chart.unit or 'no unit'}:"]
    for line, name, colour, symbol in lines:
        points = _points(line, line.first - start) if line is not None else []
        if not points:
            continue
        signal = figure.signal(*zip(*points, strict=True), marker=plotext.marker(symbol, colour))
        figure.draw(signal if symbol == "·" else signal.lines())
        legend.append(str(plotext.colorize(f"{'···' if symbol == '·' else '───'} {name}", colour)))
    years = [step for step in range(last - start) if str(start + step).endswith("-01")]
    figure.ruler("x").ticks(years, [str(start + step)[:4] for step in years])
    text = f"{figure.build()}\n{'  '.join(legend)}"
    return text if coloured else str(plotext.uncolorize(text))


def _points(line: Line, offset: int) -> list[tuple[int, float]]:
    """Return the months of a line that have a value, as pairs of column and value. offset: the column of its first month."""
    points = ((offset + step, value) for step, value in enumerate(line.values.tolist()))
    return [(step, value) for step, value in points if step >= 0 and value == value]
