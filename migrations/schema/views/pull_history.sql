CREATE OR REPLACE VIEW milkrun.pull_history AS
SELECT p.source, p.started_at, p.since, p.newest_month, p.rows_read, p.rows_added, p.rows_rejected, p.error,
       extract(epoch FROM p.ended_at - p.started_at)::double precision AS seconds, p.load_id, l.source AS read_from, p.made_by,
       p.pull_id
FROM milkrun.source_pull p LEFT JOIN milkrun.load l USING (load_id);

COMMENT ON VIEW milkrun.pull_history IS 'Every pull of a configured source, and how it ended.';
COMMENT ON COLUMN milkrun.pull_history.source IS 'Name of the source.';
COMMENT ON COLUMN milkrun.pull_history.started_at IS 'When the pull began.';
COMMENT ON COLUMN milkrun.pull_history.since IS 'First month that was read; empty where all months were.';
COMMENT ON COLUMN milkrun.pull_history.newest_month IS 'Newest month of the accepted values, its first day.';
COMMENT ON COLUMN milkrun.pull_history.rows_read IS 'Values met in the source; empty where the pull failed.';
COMMENT ON COLUMN milkrun.pull_history.rows_added IS
    'Values that were new or changed; 0 where the load is the one before.';
COMMENT ON COLUMN milkrun.pull_history.rows_rejected IS 'Values that were not accepted; rejection_history has them.';
COMMENT ON COLUMN milkrun.pull_history.error IS 'Why the pull failed; empty where it did not.';
COMMENT ON COLUMN milkrun.pull_history.seconds IS 'How long it took.';
COMMENT ON COLUMN milkrun.pull_history.load_id IS 'The load that it made, or the one before with the same rows.';
COMMENT ON COLUMN milkrun.pull_history.read_from IS 'The database and the table, or the files; empty where it failed.';
COMMENT ON COLUMN milkrun.pull_history.made_by IS 'Who asked for it.';
COMMENT ON COLUMN milkrun.pull_history.pull_id IS 'Running number of the pull.';
