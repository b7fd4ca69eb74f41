// The change ledger: why the forecast moved since the run before, as parts that add up.
function ledgerOf(card) {
  if (!card.forecast || milkrun.table.run.kind !== 'live') return [];
  const heading = element('h3', { id: 'ledger' }, 'Why the forecast moved');
  const { changes } = card;
  const called = milkrun.table.words.causes;
  if (!changes) return [heading, element('p', {}, 'No earlier run forecast these months: there is nothing to compare with.')];
  const months = monthsFrom(changes.first, changes.change.length);
  const causes = Object.keys(called).filter((cause) => changes[cause]);
  const values = new Map(monthsFrom(card.forecast.first, card.forecast.value.length).map((month, step) => [month, card.forecast.value[step]]));
  const columns = ['month', `forecast from ${changes.previous_origin}, run ${changes.previous_run_id}`, `forecast from ${changes.origin}`, 'change', ...causes.map((cause) => called[cause])];
  const rows = months.map((month, step) => [month, changes.previous_value[step], values.get(month) ?? null, changes.change[step], ...causes.map((cause) => changes[cause][step])]);
  const decimals = decimalsOf(changes, causes);
  const write = (value, column) => (column < 3 ? formatted : withSign)(value, decimals);
  return [
    heading, element('p', {}, ledgerSentence(card, changes, causes, rows[0], decimals)),
    element('p', { className: 'note' }, changes.reason ? '' : 'In each row the parts add up to the change, but for rounding.'),
    scrollTable('Why the forecast moved, by month', columns, rows, write),
    element('div', { className: 'actions' }, element('button', { type: 'button', onclick: () => download(`${card.series} changes`, columns, rows) }, 'Download CSV')),
  ];
}

// Four digits of the forecasts, and at least three of the largest part.
function decimalsOf(changes, causes) {
  const largest = (...columns) => columns.flatMap((column) => changes[column]).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const moved = largest('change', ...causes);
  const usual = decimalsFor(largest('previous_value'));
  return Math.max(usual, Math.min(moved ? decimalsFor(10 * moved) : 0, usual + 3)); // forecasts have seven digits
}

// The first month in words, the largest part first.
function ledgerSentence(card, changes, causes, [month, before, now, change], decimals) {
  const moved = `${month}: ${formatted(before, decimals)} → ${formatted(now, decimals)}${card.unit ? ` ${card.unit}` : ''}, ${withSign(change, decimals)} since the run from ${changes.previous_origin}`;
  if (changes.reason) return `${moved}; not explained: ${milkrun.table.words.why_not[changes.reason] ?? words(changes.reason)}.`;
  const parts = causes.map((cause) => [cause, changes[cause][0]]).filter(([, part]) => part).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const recipes = (cause) => (cause === 'recipe_change' ? ` (${changes.recipe} instead of ${changes.previous_recipe})` : '');
  return `${moved}: ${parts.map(([cause, part]) => `${milkrun.table.words.causes[cause]}${recipes(cause)} ${withSign(part, decimals)}`).join(', ') || 'nothing moved it'}.`;
}
