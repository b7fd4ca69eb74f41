CREATE OR REPLACE VIEW milkrun.delivery_history AS
SELECT d.target, d.run_id, r.origin AS run_origin, d.ended_at, d.forecast_rows, d.rmse_rows, d.error, d.place, d.made_by,
       d.delivery_id
FROM milkrun.delivery d JOIN milkrun.run r USING (run_id);

COMMENT ON VIEW milkrun.delivery_history IS 'Every attempt to write a published run where people look, and how it ended.';
COMMENT ON COLUMN milkrun.delivery_history.target IS 'Name of the delivery.';
COMMENT ON COLUMN milkrun.delivery_history.run_id IS 'Number of the run.';
COMMENT ON COLUMN milkrun.delivery_history.run_origin IS 'Last month whose observation the run could use, its first day.';
COMMENT ON COLUMN milkrun.delivery_history.ended_at IS 'When the attempt ended.';
COMMENT ON COLUMN milkrun.delivery_history.forecast_rows IS 'Forecasts of the run that the target has; empty after a failure.';
COMMENT ON COLUMN milkrun.delivery_history.rmse_rows IS 'Rows of the RMSE history of the run that the target has.';
COMMENT ON COLUMN milkrun.delivery_history.error IS 'Why the attempt failed; empty where it did not.';
COMMENT ON COLUMN milkrun.delivery_history.place IS 'Where to: database and tables, or folder; never a password.';
COMMENT ON COLUMN milkrun.delivery_history.made_by IS 'Who asked for it.';
COMMENT ON COLUMN milkrun.delivery_history.delivery_id IS 'Running number of the attempt.';
