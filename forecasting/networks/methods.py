"""What a run asks of a recipe's networks, whatever they are; one module per method has the answers."""

from collections.abc import Callable
from dataclasses import dataclass

from forecasting.networks import classic, monthly
from forecasting.networks.fitted import Fitted, Forecasts, Past
from forecasting.recipes import Recipe


@dataclass(frozen=True)
class Method:
    """The functions of one method.

    fit(recipe, histories, seeds, *, filled, workers, progress) trains networks of each series' own;
    forecast(recipe, networks, histories, *, positions, live) asks them;
    predict_past(recipe, networks, histories, *, positions, trained, months) asks them about months that are known;
    without_networks(recipe, histories) forecasts where there are none.
    """

    fit: Callable[..., Fitted]
    forecast: Callable[..., Forecasts]
    predict_past: Callable[..., list[Past]]
    without_networks: Callable[..., Forecasts]
    without_networks_name: str


_METHODS = {
    "classic": Method(classic.fit, classic.forecast, classic.predict_past, classic.without_networks, "seasonal_naive"),
    "monthly": Method(monthly.fit, monthly.forecast, monthly.predict_past, monthly.without_networks, "base_path"),
}


def method_of(recipe: Recipe) -> Method:
    """Return the functions of a recipe's method."""
    return _METHODS[recipe.method]
