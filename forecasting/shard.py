"""One shard of a run: train or reuse as decided, forecast, judge, and give the rows to write."""

import platform
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np

from forecasting import __version__
from forecasting.errors import BundleError
from forecasting.networks import bundle as tensors
from forecasting.networks import classic
from forecasting.networks.classic import Fitted, Networks
from forecasting.numerics.baselines import seasonal_naive
from forecasting.numerics.scaling import MinMaxScaler
from forecasting.outlook import Outlook, look
from forecasting.panel import Values
from forecasting.policy import Policy, Verdict, judge, without_bundle
from forecasting.recipes import Recipe
from forecasting.storage import bundles
from forecasting.storage.bundles import Bundle, Member
from forecasting.storage.database import Database
from forecasting.storage.forecasts import FilledMonth, SeriesResult, ShardResult
from forecasting.storage.runs import Run
from forecasting.storage.scores import Score

# Training uses every core by itself; shards that share a process wait for one another.
_ONE_AT_A_TIME = threading.Lock()

FILL_RULES = {12: "year_before", 1: "last_value"}


def forecast_shard(
    database: Database,
    run: Run,
    series_ids: Sequence[int],
    *,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> ShardResult:
    """Do everything for some series but write it; `progress` receives how many networks have just been trained."""
    outlook = look(database, run, series_ids)
    reused, stored, verdicts = _load_networks(database, run, outlook)
    to_train = [row for row, verdict in enumerate(verdicts) if verdict.decision == "retrain"]
    fitted = _train(run.recipe, outlook, to_train, workers, progress)
    bundle = _bundle_of(run, outlook, to_train, fitted) if fitted else None
    values: dict[int, Values] = {}
    for rows, networks in ((reused, stored), (to_train, fitted and fitted.networks)):
        if networks:
            made = classic.forecast(run.recipe, networks, outlook.histories.select(rows))
            values.update(zip(rows, made, strict=True))
    diverged = {row for position, row in enumerate(to_train) if fitted and fitted.diverged[position]}
    results = tuple(
        _result(run, outlook, row, verdict, values.get(row), row in diverged, bundle)
        for row, verdict in enumerate(verdicts)
    )
    return ShardResult(
        bundle,
        results,
        (*_training_scores(outlook, to_train, fitted), *outlook.live_scores),
        tuple(_filled_months(outlook, results)),
    )


def _train(
    recipe: Recipe, outlook: Outlook, rows: list[int], workers: int | None, progress: Callable[[int], None] | None
) -> Fitted | None:
    if not rows:
        return None
    seeds = classic.series_seeds(recipe, [outlook.panel.names[row] for row in rows])
    histories = outlook.histories.select(rows)
    filled = outlook.lags[rows][:, : histories.values.shape[1]] > 0
    with _ONE_AT_A_TIME:
        return classic.fit(recipe, histories, seeds, filled=filled, workers=workers, progress=progress)


def _load_networks(
    database: Database, run: Run, outlook: Outlook
) -> tuple[list[int], Networks | None, tuple[Verdict, ...]]:
    """Load the networks that are reused: rows and their networks; where a bundle is damaged, the policy decides again."""
    verdicts = list(outlook.verdicts)
    users: dict[str, list[int]] = {}
    for row, series_id in enumerate(outlook.panel.series_ids):
        if verdicts[row].decision == "reuse":
            users.setdefault(outlook.champions[series_id].bundle_id, []).append(row)
    if not users:
        return [], None, outlook.verdicts
    with database.reading() as connection:
        stored = bundles.read_bundles(connection, users)
    rows: list[int] = []
    tensors_of: list[dict[str, np.ndarray]] = []
    for bundle_id, wanted in users.items():
        try:
            weights = unpack_bundle(bundle_id, stored[bundle_id])
        except BundleError as damage:
            for row in wanted:
                verdicts[row] = without_bundle(Policy(**run.policy), f"Bundle {bundle_id[:12]}: {damage}")
            continue
        positions = [outlook.champions[outlook.panel.series_ids[row]].position for row in wanted]
        tensors_of.append({name: tensor[positions] for name, tensor in weights.items()})
        rows += wanted
    if not rows:
        return [], None, tuple(verdicts)
    scalers = [outlook.champions[outlook.panel.series_ids[row]].scaler for row in rows]
    scaler = MinMaxScaler(*(np.array([scaler[side] for scaler in scalers]) for side in ("low", "high")))
    weights = {name: np.concatenate([tensors[name] for tensors in tensors_of]) for name in tensors_of[0]}
    return rows, Networks(weights, scaler), tuple(verdicts)


def unpack_bundle(bundle_id: str, bundle: Bundle) -> dict[str, np.ndarray]:
    """Return the tensors of a stored bundle.

    Raises BundleError when payload, manifest, scalers or positions are not those that were stored under this name.
    """
    networks = tensors.unpack(bundle.payload, bundle.manifest.get("networks", {}))
    if bundle.bundle_id != bundle_id:
        raise BundleError("its manifest or a scaler differs from what was stored: train again.")
    return networks


def _bundle_of(run: Run, outlook: Outlook, rows: list[int], fitted: Fitted) -> Bundle | None:
    """Bundle the networks that ended in finite numbers; the others are not kept."""
    kept = [position for position in range(len(rows)) if not fitted.diverged[position]]
    if not kept:
        return None
    networks = fitted.networks.select(kept)
    payload, manifest = tensors.pack(networks.weights)
    members = []
    for position, source in enumerate(kept):
        row = rows[source]
        last = outlook.histories.last_months[row]
        seen = int(fitted.trained_lengths[source]) - int(outlook.histories.lengths[row])
        members.append(
            Member(
                outlook.panel.series_ids[row],
                position,
                {
                    "kind": "min_max",
                    "low": float(networks.scaler.low[position]),
                    "high": float(networks.scaler.high[position]),
                },
                trained_through=last + seen,
                origin=last,
                train_rmse=float(fitted.train.rmse[source]),
                test_rmse=float(fitted.test.rmse[source]),
            )
        )
    provenance = {"code": __version__, "python": platform.python_version(), "seed": run.recipe.seed}
    provenance |= {name: version(name) for name in ("tensorflow", "numpy")}
    return Bundle(
        run.recipe.hash,
        run.origin,
        run.as_of,
        payload,
        {"networks": manifest, "provenance": provenance},
        tuple(members),
    )


def _result(
    run: Run, outlook: Outlook, row: int, verdict: Verdict, values: Values | None, diverged: bool, bundle: Bundle | None
) -> SeriesResult:
    length = int(outlook.histories.lengths[row])
    history = outlook.histories.values[row : row + 1, :length]
    series_id = outlook.panel.series_ids[row]
    outcome, reason, detail = verdict.outcome, verdict.reason, verdict.detail
    if values is not None:
        outcome, reason, problem = judge(values, history[0], diverged=diverged)
        detail = problem or detail
    method = bundle_id = baseline = None
    if outcome in ("forecast", "fallback"):
        baseline = seasonal_naive(history, np.array([length]), horizon=run.recipe.horizon)[0]
        method = "lstm" if outcome == "forecast" else "seasonal_naive"
        if outcome == "fallback":
            values = baseline
        elif verdict.decision == "reuse":
            bundle_id = outlook.champions[series_id].bundle_id
        elif bundle is not None:
            bundle_id = bundle.bundle_id
    return SeriesResult(
        series_id,
        outlook.histories.last_months[row] if length else None,
        verdict.decision,
        verdict.decision_reason,
        str(outcome),
        reason,
        detail,
        method,
        bundle_id,
        values if method else None,
        baseline,
    )


def _training_scores(outlook: Outlook, rows: list[int], fitted: Fitted | None) -> list[Score]:
    if fitted is None:
        return []
    found = []
    for split, part in (("train", fitted.train), ("test", fitted.test)):
        for position, row in enumerate(rows):
            if part.n[position] > 0 and np.isfinite(part.rmse[position]):
                found.append(
                    Score(
                        outlook.panel.series_ids[row],
                        split,
                        1,
                        int(part.n[position]),
                        float(part.rmse[position]),
                        _finite(part.baseline_rmse[position]),
                        _finite(part.skill[position]),
                    )
                )
    return found


def _filled_months(outlook: Outlook, results: Sequence[SeriesResult]) -> list[FilledMonth]:
    filled = []
    for row, column in zip(*np.nonzero(outlook.lags), strict=True):
        if results[row].method is None:
            continue
        month = outlook.histories.last_months[row] + (int(column) + 1 - int(outlook.histories.lengths[row]))
        rule = FILL_RULES[int(outlook.lags[row, column])]
        filled.append(FilledMonth(results[row].series_id, month, float(outlook.histories.values[row, column]), rule))
    return filled


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
