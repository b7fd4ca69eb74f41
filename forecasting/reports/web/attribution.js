// The attribution: why the forecast moved since the run before, as amounts by cause that add up to the change.
function attributionOf(card) {
  if (!card.forecast || milkrun.table.run.kind !== 'live') return [];
  const heading = element('h3', { id: 'attribution' }, 'Why the forecast moved');
  const { changes } = card;
  const labels = vocabulary.causes;
  if (!changes) return [heading, element('p', {}, 'No earlier run forecast these months: there is nothing to compare with.')];
  const months = monthsFrom(changes.first, changes.change.length);
  const causes = Object.keys(labels).filter((cause) => changes[cause]);
  const values = valuesByMonth([card.forecast.first, card.forecast.value]);
  const columns = ['month', `forecast from ${changes.previous_origin}, run ${changes.previous_run_id}`, `forecast from ${changes.origin}`, 'change', ...causes.map((cause) => labels[cause])];
  const rows = months.map((month, step) => [month, changes.previous_value[step], values.get(month) ?? null, changes.change[step], ...causes.map((cause) => changes[cause][step])]);
  const decimals = changeDecimals(changes, causes);
  const format = (value, column) => (column < 3 ? formatted : withSign)(value, decimals);
  return [
    heading, element('p', {}, changeSentence(card, changes, causes, rows[0], decimals)),
    element('p', { className: 'note' }, changes.reason ? '' : 'In each row the parts add up to the change, but for rounding.'),
    scrollTable('Why the forecast moved, by month', columns, rows, format),
    element('div', { className: 'actions' }, element('button', { type: 'button', onclick: () => download(`${card.series} changes`, columns, rows) }, 'Download CSV')),
  ];
}

// Decimals that show four digits of the forecasts and at least three digits of the largest amount.
function changeDecimals(changes, causes) {
  const largest = (...columns) => columns.flatMap((column) => changes[column]).reduce((maximum, value) => Math.max(maximum, Math.abs(value)), 0);
  const largestAmount = largest('change', ...causes);
  const forecastDecimals = decimalsFor(largest('previous_value'));
  return Math.max(forecastDecimals, Math.min(largestAmount ? decimalsFor(10 * largestAmount) : 0, forecastDecimals + 3)); // forecasts have seven digits
}

// How the forecast of the first month moved, in a sentence; the largest amount comes first.
function changeSentence(card, changes, causes, [month, previousValue, value, change], decimals) {
  const movement = `${month}: ${formatted(previousValue, decimals)} → ${formatted(value, decimals)}${card.unit ? ` ${card.unit}` : ''}, ${withSign(change, decimals)} since the run from ${changes.previous_origin}`;
  if (changes.reason) return `${movement}; not explained: ${vocabulary.unexplained[changes.reason] ?? spaced(changes.reason)}.`;
  const amounts = causes.map((cause) => [cause, changes[cause][0]]).filter(([, amount]) => amount).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const recipes = (cause) => (cause === 'recipe_change' ? ` (${changes.recipe} instead of ${changes.previous_recipe})` : '');
  return `${movement}: ${amounts.map(([cause, amount]) => `${vocabulary.causes[cause]}${recipes(cause)} ${withSign(amount, decimals)}`).join(', ') || 'nothing moved it'}.`;
}
