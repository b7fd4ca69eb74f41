CREATE OR REPLACE VIEW milkrun.promotion_history AS
SELECT s.name AS series, p.kind, p.bundle_id, p.why, p.made_by, p.made_at, p.run_id
FROM milkrun.promotion p LEFT JOIN milkrun.series s USING (series_id);

COMMENT ON VIEW milkrun.promotion_history IS
    'Bundles that somebody put in charge of a series, by milkrun rollback or milkrun promote, and why.';
COMMENT ON COLUMN milkrun.promotion_history.series IS
    'Series that it is for; empty for the networks that all series of the run share.';
COMMENT ON COLUMN milkrun.promotion_history.kind IS 'rollback or promote.';
COMMENT ON COLUMN milkrun.promotion_history.bundle_id IS 'Bundle that was put in charge.';
COMMENT ON COLUMN milkrun.promotion_history.why IS 'Reason, as it was given.';
COMMENT ON COLUMN milkrun.promotion_history.made_by IS 'Who ordered it.';
COMMENT ON COLUMN milkrun.promotion_history.made_at IS 'When it was ordered.';
COMMENT ON COLUMN milkrun.promotion_history.run_id IS
    'Newest run when it was ordered: what builds on that run goes on with this bundle instead.';
