CREATE OR REPLACE VIEW milkrun.rmse_trend AS
SELECT s.name AS series, r.origin AS run_origin, e.split, e.horizon, e.n, e.rmse, e.baseline_rmse, e.naive_rmse,
       e.base_path_rmse, e.skill, e.coverage_80, e.coverage_95, s.unit, c.name AS recipe, r.kind, r.vintages,
       r.published_at, r.run_id,
       CASE e.split WHEN 'live' THEN coalesce(e.rmse_first, e.rmse) END AS rmse_first,
       CASE e.split WHEN 'live' THEN coalesce(e.baseline_rmse_first, e.baseline_rmse) END AS baseline_rmse_first
FROM milkrun.rmse_history e
JOIN milkrun.run r USING (run_id)
JOIN milkrun.series s USING (series_id)
JOIN milkrun.recipe c USING (recipe_hash)
WHERE r.state = 'published';

COMMENT ON VIEW milkrun.rmse_trend IS
    'RMSE and skill of every series as found by each published run: train and test when it trained, live every '
    'month.';
COMMENT ON COLUMN milkrun.rmse_trend.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.rmse_trend.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.rmse_trend.split IS
    'train and test: the network on the months it was, and was not, trained on; live: published forecasts, '
    'answered.';
COMMENT ON COLUMN milkrun.rmse_trend.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.rmse_trend.n IS 'Number of months scored.';
COMMENT ON COLUMN milkrun.rmse_trend.rmse IS 'Root mean squared error, in the unit of the series.';
COMMENT ON COLUMN milkrun.rmse_trend.baseline_rmse IS 'RMSE of the seasonal naive on the same months.';
COMMENT ON COLUMN milkrun.rmse_trend.naive_rmse IS 'RMSE of the naive on the same months.';
COMMENT ON COLUMN milkrun.rmse_trend.base_path_rmse IS
    'RMSE of the base path on the same months; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.rmse_trend.skill IS
    '1 - rmse / baseline_rmse: above 0 the forecast beats the seasonal naive; empty without a baseline.';
COMMENT ON COLUMN milkrun.rmse_trend.coverage_80 IS 'Share of actuals inside the 80 % interval.';
COMMENT ON COLUMN milkrun.rmse_trend.coverage_95 IS 'Share of actuals inside the 95 % interval.';
COMMENT ON COLUMN milkrun.rmse_trend.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.rmse_trend.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.rmse_trend.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.rmse_trend.vintages IS
    'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.rmse_trend.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.rmse_trend.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.rmse_trend.rmse_first IS
    'RMSE of live forecasts against the values released first; rmse is against the latest values that the run '
    'knew.';
COMMENT ON COLUMN milkrun.rmse_trend.baseline_rmse_first IS
    'RMSE of the seasonal naive of live forecasts against the values released first; baseline_rmse is against the'
    ' latest values that the run knew.';
