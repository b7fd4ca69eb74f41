CREATE OR REPLACE VIEW milkrun.latest_rmse AS
SELECT DISTINCT ON (series, recipe, split, horizon) *
FROM milkrun.rmse_trend
WHERE kind = 'live'
ORDER BY series, recipe, split, horizon, run_origin DESC, run_id DESC;

COMMENT ON VIEW milkrun.latest_rmse IS
    'The newest RMSE of every series, recipe, split and horizon, with the seasonal naive beside it.';
COMMENT ON COLUMN milkrun.latest_rmse.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.latest_rmse.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.latest_rmse.split IS
    'train and test: the network on the months it was, and was not, trained on; live: published forecasts, '
    'answered.';
COMMENT ON COLUMN milkrun.latest_rmse.horizon IS 'Months ahead: from the origin to the target month.';
COMMENT ON COLUMN milkrun.latest_rmse.n IS 'Number of months scored.';
COMMENT ON COLUMN milkrun.latest_rmse.rmse IS 'Root mean squared error, in the unit of the series.';
COMMENT ON COLUMN milkrun.latest_rmse.baseline_rmse IS 'RMSE of the seasonal naive on the same months.';
COMMENT ON COLUMN milkrun.latest_rmse.naive_rmse IS 'RMSE of the naive on the same months.';
COMMENT ON COLUMN milkrun.latest_rmse.base_path_rmse IS
    'RMSE of the base path on the same months; empty where the recipe has none.';
COMMENT ON COLUMN milkrun.latest_rmse.skill IS
    '1 - rmse / baseline_rmse: above 0 the forecast beats the seasonal naive; empty without a baseline.';
COMMENT ON COLUMN milkrun.latest_rmse.coverage_80 IS 'Share of actuals inside the 80 % interval.';
COMMENT ON COLUMN milkrun.latest_rmse.coverage_95 IS 'Share of actuals inside the 95 % interval.';
COMMENT ON COLUMN milkrun.latest_rmse.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.latest_rmse.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.latest_rmse.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.latest_rmse.vintages IS
    'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.latest_rmse.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.latest_rmse.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.latest_rmse.rmse_first IS
    'RMSE of live forecasts against the values released first; rmse is against the latest values that the run '
    'knew.';
COMMENT ON COLUMN milkrun.latest_rmse.baseline_rmse_first IS
    'RMSE of the seasonal naive of live forecasts against the values released first; baseline_rmse is against the'
    ' latest values that the run knew.';
