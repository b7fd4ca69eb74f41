-- The views are the contract with analysts: published runs only, names instead of ids.

CREATE VIEW milkrun.forecast_history AS
SELECT s.name AS series, r.origin AS run_origin, rs.origin, f.month, f.horizon, f.value,
       f.lower_80, f.upper_80, f.lower_95, f.upper_95, f.seasonal_naive, rs.last_value AS naive, f.base_path, s.unit,
       rs.outcome, rs.reason, rs.method, c.name AS recipe, r.kind, r.vintages, r.published_at, r.run_id
FROM milkrun.forecast f
JOIN milkrun.run r USING (run_id)
JOIN milkrun.run_series rs USING (run_id, series_id)
JOIN milkrun.series s USING (series_id)
JOIN milkrun.recipe c USING (recipe_hash)
WHERE r.state = 'published';
COMMENT ON VIEW milkrun.forecast_history IS
    'Every published forecast, live and backfill, newest and older: nothing is ever overwritten.';

CREATE FUNCTION milkrun.forecast_as_of(moment timestamptz) RETURNS SETOF milkrun.forecast_history
LANGUAGE sql STABLE AS $$
    SELECT h.*
    FROM milkrun.series s
    CROSS JOIN LATERAL (
        SELECT rs.run_id
        FROM milkrun.run_series rs JOIN milkrun.run r USING (run_id)
        WHERE rs.series_id = s.series_id AND r.state = 'published' AND r.kind = 'live'
          AND r.published_at <= moment AND rs.outcome IN ('forecast', 'fallback')
        ORDER BY r.origin DESC, r.run_id DESC
        LIMIT 1
    ) newest
    JOIN milkrun.forecast_history h ON h.run_id = newest.run_id AND h.series = s.name
$$;
COMMENT ON FUNCTION milkrun.forecast_as_of(timestamptz) IS
    'The forecasts that an analyst would have read at that moment: latest_forecast as it was then, series included that have been switched off since.';

CREATE VIEW milkrun.latest_forecast AS
SELECT s.name AS series, rs.origin, f.month, f.horizon, f.value,
       f.lower_80, f.upper_80, f.lower_95, f.upper_95, f.seasonal_naive, rs.last_value AS naive, f.base_path, s.unit,
       rs.outcome, rs.reason, rs.method, c.name AS recipe, r.published_at, r.run_id
FROM milkrun.series s
CROSS JOIN LATERAL (
    SELECT x.run_id
    FROM milkrun.run_series x JOIN milkrun.run y USING (run_id)
    WHERE x.series_id = s.series_id AND y.state = 'published' AND y.kind = 'live'
      AND x.outcome IN ('forecast', 'fallback')
    ORDER BY y.origin DESC, y.run_id DESC
    LIMIT 1
) newest
JOIN milkrun.run r ON r.run_id = newest.run_id
JOIN milkrun.run_series rs ON rs.run_id = r.run_id AND rs.series_id = s.series_id
JOIN milkrun.forecast f ON f.run_id = r.run_id AND f.series_id = s.series_id
JOIN milkrun.recipe c USING (recipe_hash)
WHERE s.active;
COMMENT ON VIEW milkrun.latest_forecast IS
    'The newest published live forecast of every active series, one row per target month; of two runs from the same origin, whatever their recipes, the one published last.';

CREATE VIEW milkrun.latest_observation AS
SELECT s.name AS series, o.month, o.value, s.unit, o.load_id, l.sealed_at AS known_since
FROM milkrun.series s
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (month) month, value, load_id
    FROM milkrun.observation WHERE series_id = s.series_id
    ORDER BY month, load_id DESC
) o
JOIN milkrun.load l ON l.load_id = o.load_id;
COMMENT ON VIEW milkrun.latest_observation IS 'The newest known value of every series and month.';

CREATE VIEW milkrun.forecast_versus_actual AS
SELECT h.series, h.origin, h.month, h.horizon, h.value AS forecast, a.value AS actual,
       h.value - a.value AS error, h.seasonal_naive, h.seasonal_naive - a.value AS seasonal_naive_error,
       h.naive, h.naive - a.value AS naive_error, h.base_path, h.base_path - a.value AS base_path_error,
       a.value BETWEEN h.lower_80 AND h.upper_80 AS inside_80, a.value BETWEEN h.lower_95 AND h.upper_95 AS inside_95,
       h.unit, h.outcome, h.method, h.recipe, h.kind, h.vintages, h.published_at, h.run_id
FROM milkrun.forecast_history h
JOIN milkrun.latest_observation a ON a.series = h.series AND a.month = h.month;
COMMENT ON VIEW milkrun.forecast_versus_actual IS
    'Published forecasts beside the newest value of what happened; error = forecast - actual.';

CREATE VIEW milkrun.rmse_trend AS
SELECT s.name AS series, r.origin AS run_origin, e.split, e.horizon, e.n, e.rmse, e.baseline_rmse, e.naive_rmse, e.base_path_rmse, e.skill,
       e.coverage_80, e.coverage_95, s.unit, c.name AS recipe, r.kind, r.vintages, r.published_at, r.run_id
FROM milkrun.rmse_history e
JOIN milkrun.run r USING (run_id)
JOIN milkrun.series s USING (series_id)
JOIN milkrun.recipe c USING (recipe_hash)
WHERE r.state = 'published';
COMMENT ON VIEW milkrun.rmse_trend IS
    'RMSE and skill of every series as found by each published run: train and test when it trained, live every month.';

CREATE VIEW milkrun.latest_rmse AS
SELECT DISTINCT ON (series, recipe, split, horizon) *
FROM milkrun.rmse_trend
WHERE kind = 'live'
ORDER BY series, recipe, split, horizon, run_origin DESC, run_id DESC;
COMMENT ON VIEW milkrun.latest_rmse IS
    'The newest RMSE of every series, recipe, split and horizon, with the seasonal naive beside it.';

CREATE VIEW milkrun.forecast_change AS
SELECT series, month, origin, value, previous_origin, previous_value, value - previous_value AS change, unit,
       recipe, previous_recipe, published_at, run_id, previous_run_id
FROM (
    SELECT h.*, lag(value) OVER earlier AS previous_value, lag(origin) OVER earlier AS previous_origin,
           lag(recipe) OVER earlier AS previous_recipe, lag(run_id) OVER earlier AS previous_run_id
    FROM milkrun.forecast_history h
    WHERE kind = 'live'
    WINDOW earlier AS (PARTITION BY series, month, vintages ORDER BY run_origin, run_id)
) moved
WHERE previous_run_id IS NOT NULL;
COMMENT ON VIEW milkrun.forecast_change IS
    'How the forecast of a target month moved from one published live run to the next.';

CREATE VIEW milkrun.series_health AS
SELECT s.name AS series, s.active, s.unit, o.first_month, o.last_month, o.months,
       newest.run_id, newest.origin AS run_origin, newest.outcome, newest.reason, newest.detail,
       newest.decision, newest.decision_reason, newest.method
FROM milkrun.series s
LEFT JOIN LATERAL (
    SELECT min(month) AS first_month, max(month) AS last_month, count(DISTINCT month) AS months
    FROM milkrun.observation WHERE series_id = s.series_id
) o ON true
LEFT JOIN LATERAL (
    SELECT r.run_id, r.origin, x.outcome, x.reason, x.detail, x.decision, x.decision_reason, x.method
    FROM milkrun.run_series x JOIN milkrun.run r USING (run_id)
    WHERE x.series_id = s.series_id AND r.state = 'published' AND r.kind = 'live'
    ORDER BY r.origin DESC, r.run_id DESC LIMIT 1
) newest ON true;
COMMENT ON VIEW milkrun.series_health IS
    'Every series with its span of months and how the newest published live run ended for it, and why.';

CREATE VIEW milkrun.run_health AS
SELECT r.run_id, r.kind, r.origin, r.state, c.name AS recipe, r.policy ->> 'retrain' AS retrain, r.scope, r.trigger,
       r.vintages, r.as_of, cardinality(r.series_ids) AS series,
       n.forecast, n.fallback, n.held, n.refused, n.failed, n.retrained, n.reused,
       r.started_at, r.published_at, r.code_version
FROM milkrun.run r
JOIN milkrun.recipe c USING (recipe_hash)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE outcome = 'forecast') AS forecast,
           count(*) FILTER (WHERE outcome = 'fallback') AS fallback,
           count(*) FILTER (WHERE outcome = 'held') AS held,
           count(*) FILTER (WHERE outcome = 'refused') AS refused,
           count(*) FILTER (WHERE outcome = 'failed') AS failed,
           count(*) FILTER (WHERE decision = 'retrain') AS retrained,
           count(*) FILTER (WHERE decision = 'reuse') AS reused
    FROM milkrun.run_series x WHERE x.run_id = r.run_id
) n;
COMMENT ON VIEW milkrun.run_health IS
    'Every run, published or not, with its counts of outcomes and decisions.';

CREATE VIEW milkrun.run_outcome AS
SELECT r.run_id, r.kind, r.origin AS run_origin, s.name AS series, x.origin, x.outcome, x.reason, x.detail,
       x.decision, x.decision_reason, x.method, x.bundle_id, r.published_at
FROM milkrun.run_series x
JOIN milkrun.run r USING (run_id)
JOIN milkrun.series s USING (series_id)
WHERE r.state = 'published';
COMMENT ON VIEW milkrun.run_outcome IS
    'How every published run ended for every series, with the decision to retrain or reuse and its reason.';
