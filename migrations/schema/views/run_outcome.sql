CREATE OR REPLACE VIEW milkrun.run_outcome AS
SELECT r.run_id, r.kind, r.origin AS run_origin, s.name AS series, x.origin, x.outcome, x.reason, x.detail,
       x.decision, x.decision_reason, x.method, x.bundle_id, r.published_at, x.evidence
FROM milkrun.run_series x
JOIN milkrun.run r USING (run_id)
JOIN milkrun.series s USING (series_id)
WHERE r.state = 'published';

COMMENT ON VIEW milkrun.run_outcome IS
    'How every published run ended for every series, with the decision to retrain or reuse and its reason.';
COMMENT ON COLUMN milkrun.run_outcome.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.run_outcome.kind IS 'live, or backfill: a run for a past month, made later.';
COMMENT ON COLUMN milkrun.run_outcome.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.run_outcome.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.run_outcome.origin IS
    'Last month of the series that was used: the run''s origin, or earlier where the series is late.';
COMMENT ON COLUMN milkrun.run_outcome.outcome IS
    'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.run_outcome.reason IS
    'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.run_outcome.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.run_outcome.decision IS 'retrain or reuse; empty where no network was needed.';
COMMENT ON COLUMN milkrun.run_outcome.decision_reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.run_outcome.method IS 'What made the numbers: lstm, seasonal_naive or another.';
COMMENT ON COLUMN milkrun.run_outcome.bundle_id IS 'Bundle whose network made the forecast.';
COMMENT ON COLUMN milkrun.run_outcome.published_at IS 'When the run became visible, all at once.';
COMMENT ON COLUMN milkrun.run_outcome.evidence IS
    'What the decision was made from, as plain JSON; empty in rows of older releases.';
