CREATE OR REPLACE VIEW milkrun.month_health AS
WITH observed AS (
    SELECT max(month) AS newest FROM milkrun.observation JOIN milkrun.series USING (series_id)
    WHERE active AND month < (SELECT milkrun.running_month())
), published AS (
    SELECT DISTINCT ON (origin) origin, run_id, published_at
    FROM milkrun.run
    WHERE state = 'published' AND kind = 'live' AND scope = 'all'
    ORDER BY origin, run_id DESC
), month AS (
    SELECT generate_series(least((SELECT min(origin) FROM published), newest), newest, '1 month')::date AS month
    FROM observed WHERE newest IS NOT NULL
)
SELECT m.month, p.run_id IS NOT NULL AS published, p.run_id, p.published_at, h.recipe, h.series, h.forecast, h.fallback,
       h.held, h.refused, h.failed, m.month = o.newest AS newest,
       (SELECT min(l.sealed_at) FROM milkrun.observation x JOIN milkrun.load l USING (load_id)
        WHERE m.month = o.newest AND x.month = o.newest) AS observed_since
FROM month m
CROSS JOIN observed o
LEFT JOIN published p ON p.origin = m.month
LEFT JOIN milkrun.run_health h ON h.run_id = p.run_id;

COMMENT ON VIEW milkrun.month_health IS
    'Every month from the first published one to the newest observed one that is over, and whether a live run of all series '
    'was published for it: WHERE newest AND NOT published is the alarm.';
COMMENT ON COLUMN milkrun.month_health.month IS 'The origin: forecasts from it are for the months after it.';
COMMENT ON COLUMN milkrun.month_health.published IS 'Whether a live run of all series from this month is published.';
COMMENT ON COLUMN milkrun.month_health.run_id IS 'The newest such run.';
COMMENT ON COLUMN milkrun.month_health.published_at IS 'When it was published.';
COMMENT ON COLUMN milkrun.month_health.recipe IS 'Recipe of that run.';
COMMENT ON COLUMN milkrun.month_health.series IS 'Number of series that the run had to account for.';
COMMENT ON COLUMN milkrun.month_health.forecast IS 'Series forecast by a network.';
COMMENT ON COLUMN milkrun.month_health.fallback IS 'Number of series forecast by a baseline instead.';
COMMENT ON COLUMN milkrun.month_health.held IS
    'Number of series without a forecast because they are late or have too long a gap.';
COMMENT ON COLUMN milkrun.month_health.refused IS
    'Number of series without a forecast because they have too few observations.';
COMMENT ON COLUMN milkrun.month_health.failed IS 'Number of series without a forecast because something broke.';
COMMENT ON COLUMN milkrun.month_health.newest IS
    'Whether this is the newest month that is over and that any active series has: the one that should be published.';
COMMENT ON COLUMN milkrun.month_health.observed_since IS
    'When the newest month was first loaded; empty for older months.';
