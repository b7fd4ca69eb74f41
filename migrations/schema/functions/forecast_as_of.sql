CREATE OR REPLACE FUNCTION milkrun.forecast_as_of(moment timestamptz) RETURNS SETOF milkrun.forecast_history
LANGUAGE sql STABLE AS $$
    SELECT h.*
    FROM milkrun.series s
    CROSS JOIN LATERAL (
        SELECT rs.run_id
        FROM milkrun.run_series rs JOIN milkrun.run r USING (run_id)
        WHERE rs.series_id = s.series_id AND r.state = 'published' AND r.kind = 'live'
          AND r.published_at <= moment AND rs.outcome IN ('forecast', 'fallback')
        ORDER BY r.origin DESC, r.run_id DESC
        LIMIT 1
    ) newest
    JOIN milkrun.forecast_history h ON h.run_id = newest.run_id AND h.series = s.name
$$;
COMMENT ON FUNCTION milkrun.forecast_as_of(timestamptz) IS
    'The forecasts that an analyst would have read at that moment: latest_forecast as it was then, series '
    'included that have been switched off since.';
