CREATE OR REPLACE VIEW milkrun.forecast_history AS
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
COMMENT ON COLUMN milkrun.forecast_history.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.forecast_history.run_origin IS
    'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.forecast_history.origin IS
    'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.forecast_history.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.forecast_history.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.forecast_history.value IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.forecast_history.lower_80 IS
    'Lower end of the 80 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast_history.upper_80 IS 'Upper end of the 80 % interval.';
COMMENT ON COLUMN milkrun.forecast_history.lower_95 IS
    'Lower end of the 95 % interval; empty where the recipe gives none.';
COMMENT ON COLUMN milkrun.forecast_history.upper_95 IS 'Upper end of the 95 % interval.';
COMMENT ON COLUMN milkrun.forecast_history.seasonal_naive IS
    'The baseline: the value of the same month a year before, as known at the origin.';
COMMENT ON COLUMN milkrun.forecast_history.naive IS 'The baseline that repeats the last observed value.';
COMMENT ON COLUMN milkrun.forecast_history.base_path IS
    'The base path of the recipe monthly, which its networks correct; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.forecast_history.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.forecast_history.outcome IS
    'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.forecast_history.reason IS
    'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.forecast_history.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.forecast_history.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.forecast_history.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.forecast_history.vintages IS
    'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.forecast_history.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.forecast_history.run_id IS 'Number of the run.';
