CREATE OR REPLACE VIEW milkrun.series_health AS
SELECT s.name AS series, s.active, s.unit, o.first_month, o.last_month, o.months,
       newest.run_id, newest.origin AS run_origin, newest.outcome, newest.reason, newest.detail,
       newest.decision, newest.decision_reason, newest.method
FROM milkrun.series s
LEFT JOIN LATERAL (
    SELECT min(month) AS first_month, max(month) AS last_month, count(DISTINCT month) AS months
    FROM milkrun.observation WHERE series_id = s.series_id AND month < (SELECT milkrun.running_month())
) o ON true
LEFT JOIN LATERAL (
    SELECT r.run_id, r.origin, x.outcome, x.reason, x.detail, x.decision, x.decision_reason, x.method
    FROM milkrun.run_series x JOIN milkrun.run r USING (run_id)
    WHERE x.series_id = s.series_id AND r.state = 'published' AND r.kind = 'live'
    ORDER BY r.origin DESC, r.run_id DESC LIMIT 1
) newest ON true;

COMMENT ON VIEW milkrun.series_health IS
    'Every series with its span of months and how the newest published live run ended for it, and why.';
COMMENT ON COLUMN milkrun.series_health.series IS 'Name of the series.';
COMMENT ON COLUMN milkrun.series_health.active IS 'Whether runs forecast the series.';
COMMENT ON COLUMN milkrun.series_health.unit IS 'Unit of the values, where it is known.';
COMMENT ON COLUMN milkrun.series_health.first_month IS 'First observed month that is over.';
COMMENT ON COLUMN milkrun.series_health.last_month IS 'Newest observed month that is over.';
COMMENT ON COLUMN milkrun.series_health.months IS 'Number of observed months that are over.';
COMMENT ON COLUMN milkrun.series_health.run_id IS 'Newest published live run that had the series.';
COMMENT ON COLUMN milkrun.series_health.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.series_health.outcome IS
    'forecast, fallback (a baseline instead of the network), held, refused or failed.';
COMMENT ON COLUMN milkrun.series_health.reason IS
    'Short word for the reason of the outcome; ok where there is nothing to say.';
COMMENT ON COLUMN milkrun.series_health.detail IS 'The reason in a sentence, with months and numbers.';
COMMENT ON COLUMN milkrun.series_health.decision IS 'retrain or reuse; empty where no network was needed.';
COMMENT ON COLUMN milkrun.series_health.decision_reason IS 'Short word for the reason of the decision.';
COMMENT ON COLUMN milkrun.series_health.method IS 'What made the numbers: lstm, seasonal_naive or another.';
