CREATE OR REPLACE VIEW milkrun.forecast_versus_actual AS
SELECT h.series, h.origin, h.month, h.horizon, h.value AS forecast, a.value AS actual,
       h.value - a.value AS error, h.seasonal_naive, h.seasonal_naive - a.value AS seasonal_naive_error,
       h.naive, h.naive - a.value AS naive_error, h.base_path, h.base_path - a.value AS base_path_error,
       a.value BETWEEN h.lower_80 AND h.upper_80 AS inside_80, a.value BETWEEN h.lower_95 AND h.upper_95 AS inside_95,
       h.unit, h.outcome, h.method, h.recipe, h.kind, h.vintages, h.published_at, h.run_id
FROM milkrun.forecast_history h
JOIN milkrun.latest_observation a ON a.series = h.series AND a.month = h.month AND a.is_over;

COMMENT ON VIEW milkrun.forecast_versus_actual IS
    'Published forecasts beside the newest value of what happened, in months that are over; error = forecast - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.origin IS
    'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.forecast IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.actual IS 'What happened: the newest known value of the month.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.error IS
    'forecast - actual: positive where the forecast was too high.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.seasonal_naive IS
    'The baseline: the value of the same month a year before, as known at the origin.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.seasonal_naive_error IS 'seasonal_naive - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.naive IS 'The baseline that repeats the last observed value.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.naive_error IS 'naive - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.base_path IS
    'The base path of the recipe monthly, which its networks correct; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.base_path_error IS 'base_path - actual.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.inside_80 IS 'Whether the actual lies inside the 80 % interval.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.inside_95 IS 'Whether the actual lies inside the 95 % interval.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.outcome IS
    'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.vintages IS
    'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.forecast_versus_actual.run_id IS 'Number of the run.';
