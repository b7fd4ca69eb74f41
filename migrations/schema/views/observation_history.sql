CREATE OR REPLACE VIEW milkrun.observation_history AS
SELECT s.name AS series, o.month, o.value, s.unit, o.load_id, l.sealed_at AS known_since, l.source
FROM milkrun.observation o
JOIN milkrun.series s USING (series_id)
JOIN milkrun.load l ON l.load_id = o.load_id;

COMMENT ON VIEW milkrun.observation_history IS
    'Every value ever loaded of every series and month: the first, and each revision.';
COMMENT ON COLUMN milkrun.observation_history.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.observation_history.month IS 'Observed month, its first day.';
COMMENT ON COLUMN milkrun.observation_history.value IS 'The value, in the unit of the series.';
COMMENT ON COLUMN milkrun.observation_history.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.observation_history.load_id IS
    'Load that brought the value: its vintage. Of two, the later one counts.';
COMMENT ON COLUMN milkrun.observation_history.known_since IS 'When that load was committed.';
COMMENT ON COLUMN milkrun.observation_history.source IS 'What it was loaded from.';
