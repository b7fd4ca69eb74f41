CREATE OR REPLACE FUNCTION milkrun.running_month() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', now() AT TIME ZONE coalesce(nullif(current_setting('milkrun.time_zone', true), ''), 'UTC'))::date
$$;

COMMENT ON FUNCTION milkrun.running_month() IS
    'The month that is not over, its first day, in the time zone of the setting milkrun.time_zone; without one in UTC.';
