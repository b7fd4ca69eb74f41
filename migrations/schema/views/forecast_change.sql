CREATE OR REPLACE VIEW milkrun.forecast_change AS
SELECT s.name AS series, f.month, x.origin, f.value, before.origin AS previous_origin, p.value AS previous_value,
       f.value - p.value AS change, s.unit, c.name AS recipe, earlier_recipe.name AS previous_recipe, r.published_at,
       r.run_id, g.previous_run_id,
       CASE WHEN g.reason IS NULL THEN coalesce(g.new_months[f.horizon], 0) END AS new_months,
       CASE WHEN g.reason IS NULL THEN coalesce(g.revisions[f.horizon], 0) END AS revisions,
       CASE WHEN g.reason IS NULL THEN coalesce(g.network[f.horizon], 0) END AS network,
       CASE WHEN g.reason IS NULL THEN coalesce(g.recipe_change[f.horizon], 0) END AS recipe_change,
       g.reason
FROM milkrun.forecast_change_part g
JOIN milkrun.run r USING (run_id)
JOIN milkrun.recipe c USING (recipe_hash)
JOIN milkrun.series s USING (series_id)
JOIN milkrun.run_series x USING (run_id, series_id)
JOIN milkrun.forecast f USING (run_id, series_id)
JOIN milkrun.run earlier ON earlier.run_id = g.previous_run_id
JOIN milkrun.recipe earlier_recipe ON earlier_recipe.recipe_hash = earlier.recipe_hash
JOIN milkrun.run_series before ON before.run_id = g.previous_run_id AND before.series_id = g.series_id
JOIN milkrun.forecast p ON p.run_id = g.previous_run_id AND p.series_id = g.series_id AND p.month = f.month
WHERE r.state = 'published' AND r.kind = 'live';

COMMENT ON VIEW milkrun.forecast_change IS
    'How the forecast of a target month moved from the series'' previous published live run to the next, and why: '
    'new_months + revisions + network + recipe_change = change.';
COMMENT ON COLUMN milkrun.forecast_change.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.forecast_change.month IS 'Target month, its first day.';
COMMENT ON COLUMN milkrun.forecast_change.origin IS
    'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.forecast_change.value IS 'The forecast, in the unit of the series.';
COMMENT ON COLUMN milkrun.forecast_change.previous_origin IS 'Origin of the forecast before.';
COMMENT ON COLUMN milkrun.forecast_change.previous_value IS 'What the run before forecast for the month.';
COMMENT ON COLUMN milkrun.forecast_change.change IS 'value - previous_value.';
COMMENT ON COLUMN milkrun.forecast_change.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.forecast_change.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.forecast_change.previous_recipe IS 'Recipe of the run before.';
COMMENT ON COLUMN milkrun.forecast_change.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.forecast_change.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.forecast_change.previous_run_id IS 'Number of the run before.';
COMMENT ON COLUMN milkrun.forecast_change.new_months IS
    'Part of the change that comes from months observed since the run before.';
COMMENT ON COLUMN milkrun.forecast_change.revisions IS
    'Part that comes from changed values of months that the run before knew.';
COMMENT ON COLUMN milkrun.forecast_change.network IS
    'Part that comes from another network or scaler, or from none: another method.';
COMMENT ON COLUMN milkrun.forecast_change.recipe_change IS 'Part that comes from another recipe, with its network.';
COMMENT ON COLUMN milkrun.forecast_change.reason IS
    'Why the parts are empty, in a word; empty where they add up to the change.';
