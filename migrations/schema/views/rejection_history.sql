CREATE OR REPLACE VIEW milkrun.rejection_history AS
SELECT r.load_id, l.source, l.sealed_at AS loaded_at, r.line, r.raw, r.reason
FROM milkrun.rejected_row r
JOIN milkrun.load l USING (load_id);

COMMENT ON VIEW milkrun.rejection_history IS 'Every value that a load did not accept, and why.';
COMMENT ON COLUMN milkrun.rejection_history.load_id IS 'Load that rejected it.';
COMMENT ON COLUMN milkrun.rejection_history.source IS 'What was loaded.';
COMMENT ON COLUMN milkrun.rejection_history.loaded_at IS 'When the load was committed.';
COMMENT ON COLUMN milkrun.rejection_history.line IS 'Line of the file or row of the query, the header being line 1.';
COMMENT ON COLUMN milkrun.rejection_history.raw IS 'What was read, shortened and with control characters escaped.';
COMMENT ON COLUMN milkrun.rejection_history.reason IS 'Why it was rejected.';
