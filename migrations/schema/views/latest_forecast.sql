CREATE OR REPLACE VIEW milkrun.latest_forecast AS
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
    'The newest published live forecast of every active series, one row per target month; of two runs from the '
    'same origin, whatever their recipes, the one published last.';
COMMENT ON COLUMN milkrun.latest_forecast.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.latest_forecast.origin IS
    'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.latest_forecast.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.latest_forecast.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.latest_forecast.value IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.latest_forecast.lower_80 IS
    'Lower end of the 80 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.latest_forecast.upper_80 IS 'Upper end of the 80 % interval.';
COMMENT ON COLUMN milkrun.latest_forecast.lower_95 IS
    'Lower end of the 95 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.latest_forecast.upper_95 IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN milkrun.latest_forecast.seasonal_naive IS
    'The baseline: the value of the same month a year before, as known at the origin.';
COMMENT ON COLUMN milkrun.latest_forecast.naive IS 'The baseline that repeats the last observed value.';
COMMENT ON COLUMN milkrun.latest_forecast.base_path IS
    'The base path of the recipe monthly, which its networks correct; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.latest_forecast.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.latest_forecast.outcome IS
    'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.latest_forecast.reason IS
    'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.latest_forecast.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.latest_forecast.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.latest_forecast.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.latest_forecast.run_id IS 'Number of the run.';
