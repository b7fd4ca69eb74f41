"""The networks that all series of a run share: decided and, if need be, trained once, before the shards."""

from collections.abc import Callable

import numpy as np

from forecasting.bundling import bundle_of, networks_of
from forecasting.errors import BundleError, RunRefused
from forecasting.evidence import Stored, stored_champion
from forecasting.networks import monthly
from forecasting.outlook import Observed, decide_shared, observe
from forecasting.panel import Histories, joined
from forecasting.policy import Policy, Verdict, without_bundle, without_network
from forecasting.recipes import MonthlyRecipe
from forecasting.storage.bundles import Bundle, read_bundles
from forecasting.storage.database import Database
from forecasting.storage.run_networks import RunNetwork
from forecasting.storage.runs import Run


def settle_shared(
    database: Database, run: Run, *, progress: Callable[[int], None] | None = None
) -> tuple[RunNetwork, Bundle | None]:
    """Decide about the networks that a run's series share; train them where that is decided.

    progress: called with the number of networks done since the last call.
    """
    with database.reading() as connection:
        verdict, champion, known = decide_shared(connection, run)
    evidence: Stored = {"champion": stored_champion(known, run.recipe)} if known else {}
    if verdict.decision == "reuse" and champion is not None:
        damage = _damage(database, champion.bundle_id)
        if damage is None:
            return _told(verdict, champion.bundle_id, evidence), None
        evidence["damage"] = damage
        verdict = without_bundle(Policy(**run.policy), damage)
    if verdict.decision is None:
        return _told(verdict, None, evidence), None
    bundle = _train(database, run, progress)
    return _told(verdict, bundle.bundle_id if bundle else None, evidence), bundle


def _told(verdict: Verdict, bundle_id: str | None, evidence: Stored) -> RunNetwork:
    reason = verdict.decision_reason or verdict.reason
    return RunNetwork(verdict.decision, reason, verdict.detail, bundle_id, evidence)


def _damage(database: Database, bundle_id: str) -> str | None:
    """Say what is wrong with a stored bundle, None where it is whole."""
    with database.reading() as connection:
        stored = read_bundles(connection, [bundle_id])[bundle_id]
    try:
        networks_of(bundle_id, stored, [])
    except BundleError as damage:
        return f"Bundle {bundle_id[:12]}: {damage}"
    return None


def _train(database: Database, run: Run, progress: Callable[[int], None] | None) -> Bundle | None:
    """Train on every series that networks can learn from, in the order of their names; None where that led nowhere."""
    if not isinstance(run.recipe, MonthlyRecipe):
        raise RunRefused(f"Recipe {run.recipe.name} has no networks that series share.")
    names: list[str] = []
    ids: list[int] = []
    parts: list[Histories] = []
    filled: list[np.ndarray] = []
    for number in run.shards:
        with database.reading() as connection:
            observed = observe(connection, run, run.shard(number))
        rows = _rows_to_learn_from(observed, run)
        names += [observed.panel.names[row] for row in rows]
        ids += [observed.panel.series_ids[row] for row in rows]
        parts.append(observed.histories.select(rows))
        filled += [observed.lags[row] > 0 for row in rows]
    if not ids:
        return None
    order = sorted(range(len(ids)), key=names.__getitem__)
    histories = joined(parts).select(order)
    fitted = monthly.fit_shared(run.recipe, histories, filled=_mask(filled, order, histories), progress=progress)
    return bundle_of(run, [ids[row] for row in order], histories, fitted)


def _rows_to_learn_from(observed: Observed, run: Run) -> list[int]:
    """Return the rows of series for which a network is asked."""
    policy = Policy(**run.policy)
    return [
        row
        for row, evidence in enumerate(observed.evidence)
        if without_network(evidence, policy, run.recipe, run.origin) is None
    ]


def _mask(filled: list[np.ndarray], order: list[int], histories: Histories) -> np.ndarray:
    mask = np.zeros_like(histories.values, dtype=bool)
    for place, row in enumerate(order):
        own = filled[row][: mask.shape[1]]
        mask[place, : len(own)] = own
    return mask
