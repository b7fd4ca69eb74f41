"""What a run asks of a recipe's networks, whatever they are; one module per method has the answers."""

from collections.abc import Callable
from dataclasses import dataclass

from forecasting.domain.panel import Counts
from forecasting.domain.recipes import Recipe
from forecasting.models import classic
from forecasting.models.monthly import forecast as monthly
from forecasting.models.monthly import training as monthly_training
from forecasting.models.types import FitResult, Forecasts, Networks, PastPredictions


@dataclass(frozen=True)
class Method:
    """The functions of one method.

    fit(recipe, histories, seeds, *, filled, workers, progress) trains networks of each series' own;
    forecast(recipe, networks, histories, *, positions, live) asks them;
    predict_past(recipe, networks, histories, *, positions, trained, months) asks them about months that are known;
    without_networks(recipe, histories) forecasts where there are none;
    common_months(histories, trained_lengths, since, least) says on how many months, the last ones, new networks are compared
    with older ones that have not seen the last `since`;
    stand_in(recipe, networks, histories, seeds, months, *, workers) gives networks like new ones that have not seen them;
    shapes(recipe, networks) are those that each series' tensors, or shared ones, must have, by name; scaler: what each series'
    scaler must have, by name.
    """

    fit: Callable[..., FitResult]
    forecast: Callable[..., Forecasts]
    predict_past: Callable[..., list[PastPredictions]]
    without_networks: Callable[..., Forecasts]
    common_months: Callable[..., Counts]
    stand_in: Callable[..., Networks]
    shapes: Callable[..., dict[str, tuple[int, ...]]]
    scaler: dict[str, type]
    without_networks_name: str


_METHODS = {
    name: Method(
        training.fit,
        asked.forecast,
        asked.predict_past,
        asked.without_networks,
        training.common_months,
        training.stand_in,
        asked.shapes,
        asked.SCALER,
        without_networks_name,
    )
    for name, training, asked, without_networks_name in (
        ("classic", classic, classic, "seasonal_naive"),
        ("monthly", monthly_training, monthly, "base_path"),
    )
}


def method_of(recipe: Recipe) -> Method:
    """Return the functions of a recipe's method."""
    return _METHODS[recipe.method]
