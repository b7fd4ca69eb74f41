CREATE OR REPLACE VIEW milkrun.latest_observation AS
SELECT s.name AS series, o.month, o.value, s.unit, o.load_id, l.sealed_at AS known_since,
       o.month < (SELECT milkrun.running_month()) AS is_over
FROM milkrun.series s
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (month) month, value, load_id
    FROM milkrun.observation WHERE series_id = s.series_id
    ORDER BY month, load_id DESC
) o
JOIN milkrun.load l ON l.load_id = o.load_id;

COMMENT ON VIEW milkrun.latest_observation IS 'The newest known value of every series and month.';
COMMENT ON COLUMN milkrun.latest_observation.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.latest_observation.month IS 'Observed month, its first day.';
COMMENT ON COLUMN milkrun.latest_observation.value IS 'The newest known value, in the unit of the series.';
COMMENT ON COLUMN milkrun.latest_observation.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.latest_observation.load_id IS 'Load that brought the value: its vintage.';
COMMENT ON COLUMN milkrun.latest_observation.known_since IS 'When that load was committed.';
COMMENT ON COLUMN milkrun.latest_observation.is_over IS
    'Whether the month is over. The value of the running month is kept; no run, score or alarm counts it.';
