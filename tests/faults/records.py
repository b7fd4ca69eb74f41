"""What is on record after any step of any life: published runs, whole and unchanged, and the values known."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from forecasting.domain.months import Month

# Of each table what a run says, by the columns that every release from the baseline on has.
_SAID = {
    "run_series": "origin, decision, decision_reason, outcome, reason, detail, method, bundle_id, last_value, evidence",
    "filled_month": "month, value, rule",
    "forecast": "horizon, month, value, seasonal_naive, base_path, lower_80, upper_80, lower_95, upper_95",
    "forecast_change_part": "previous_run_id, reason, new_months, revisions, network, recipe_change",
    "rmse_history": "split, horizon, n, rmse, rmse_first, baseline_rmse, naive_rmse, skill, coverage_80, coverage_95",
}
_PUBLISHED = """
    SELECT run_id, concat_ws(' ', kind, origin, as_of, recipe_hash, policy, scope, attempt) AS request,
           concat_ws(' ', published_at, {digests}) AS said,
           (SELECT array_agg(series_id ORDER BY series_id) FROM milkrun.run_series s WHERE s.run_id = r.run_id)
               = (SELECT array_agg(id ORDER BY id) FROM unnest(r.series_ids) AS id) AS accounted,
           (SELECT count(*) FROM milkrun.run_series s WHERE s.run_id = r.run_id AND method IS NOT NULL)
               * (SELECT (settings ->> 'horizon')::int FROM milkrun.recipe WHERE recipe_hash = r.recipe_hash) AS forecasts
    FROM milkrun.run r WHERE state = 'published'""".format(
    digests=", ".join(
        f"(SELECT md5(string_agg(ROW(series_id, {columns})::text, '|' ORDER BY ROW(series_id, {columns})::text)) "
        f"FROM milkrun.{table} t WHERE t.run_id = r.run_id)"
        for table, columns in _SAID.items()
    )
)


@dataclass
class Records:
    """What was published so far: by run, what was asked for and a digest of all that it says."""

    said: dict[int, tuple[str, str]] = field(default_factory=dict)

    def look(self, connection: Connection) -> list[int]:
        """Look as a reader does, and return the runs that were published since the last look.

        Each series of a run has exactly one outcome; what was published stays as it was; a request is published once;
        a reader sees all forecasts of published runs and none of others.
        """
        rows = connection.execute(text(_PUBLISHED)).all()
        seen = dict(
            connection.execute(text("SELECT run_id, count(*) FROM milkrun.forecast_history GROUP BY 1")).tuples().all()
        )
        told = {row.run_id: (row.request, row.said) for row in rows}
        assert all(row.accounted for row in rows), "a series has no outcome, or more than one"
        assert {run_id: told.get(run_id) for run_id in self.said} == self.said, "what was published has changed"
        assert len({request for request, _ in told.values()}) == len(told), "a request was published twice"
        assert seen == {row.run_id: row.forecasts for row in rows if row.forecasts}, "a reader sees part of a run"
        new = [run_id for run_id in told if run_id not in self.said]
        self.said = told
        return new


def values_known(connection: Connection) -> dict[tuple[str, Month], float]:
    """Return the newest value of every series and month, as an analyst reads it."""
    rows = connection.execute(text("SELECT series, month, value FROM milkrun.latest_observation"))
    return {(row.series, Month.containing(row.month)): row.value for row in rows}
