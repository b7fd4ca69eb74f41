CREATE OR REPLACE VIEW milkrun.run_health AS
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

COMMENT ON VIEW milkrun.run_health IS 'Every run, published or not, with its counts of outcomes and decisions.';
COMMENT ON COLUMN milkrun.run_health.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.run_health.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.run_health.origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.run_health.state IS 'open, or published: only published runs show in the other views.';
COMMENT ON COLUMN milkrun.run_health.recipe IS
    'Name of the recipe: the settings of networks, windows, scaling and training.';
COMMENT ON COLUMN milkrun.run_health.retrain IS 'auto, always or never: what the run was asked to do with networks.';
COMMENT ON COLUMN milkrun.run_health.scope IS 'all, or a digest of the series that were asked for.';
COMMENT ON COLUMN milkrun.run_health.trigger IS
    'What started the run: schedule, deployment (the UI or the API) or command line.';
COMMENT ON COLUMN milkrun.run_health.vintages IS
    'as_of: from values as they were known at the origin; latest: from values as known when the run was made.';
COMMENT ON COLUMN milkrun.run_health.as_of IS 'Newest load that the run could know.';
COMMENT ON COLUMN milkrun.run_health.series IS 'Number of series that it had to end.';
COMMENT ON COLUMN milkrun.run_health.forecast IS 'Number of series forecast by their network.';
COMMENT ON COLUMN milkrun.run_health.fallback IS 'Number of series forecast by a baseline instead.';
COMMENT ON COLUMN milkrun.run_health.held IS
    'Number of series without a forecast because they are late or have too long a gap.';
COMMENT ON COLUMN milkrun.run_health.refused IS
    'Number of series without a forecast because they have too few observations.';
COMMENT ON COLUMN milkrun.run_health.failed IS 'Number of series without a forecast because something broke.';
COMMENT ON COLUMN milkrun.run_health.retrained IS 'Number of series whose network was trained.';
COMMENT ON COLUMN milkrun.run_health.reused IS 'Number of series whose stored network was used again.';
COMMENT ON COLUMN milkrun.run_health.started_at IS 'When the run was opened.';
COMMENT ON COLUMN milkrun.run_health.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.run_health.code_version IS 'Version of Milkrun.';
