// One series: its decision with the reasons, its charts, and the numbers of the charts.
async function loadCard(position) {
  const chunk = Math.floor(position / milkrun.table.chunk);
  if (!milkrun.chunks.has(chunk)) await loadScript(`${milkrun.data}/series-${String(chunk).padStart(5, '0')}.js`);
  return milkrun.chunks.get(chunk)[position % milkrun.table.chunk];
}

// The most important numbers; row: of the series in the table of all series.
function figuresOf(card, row) {
  const size = card.forecast?.value[0] ?? card.observed?.[1].at(-1);
  const unit = card.unit ? ` ${card.unit}` : '';
  const figure = (name, value, note) => element('div', {}, element('dt', {}, name), element('dd', {}, value, note ? element('small', {}, note) : null));
  const figures = [];
  if (card.observed && card.origin) {
    figures.push(figure(`Observed ${card.origin}`, number(at(row, 'last_value'), size) + unit));
  }
  if (card.forecast) {
    const { value, lower_80: lower80, upper_80: upper80, lower_95: lower95, upper_95: upper95, seasonal_naive: naive, first } = card.forecast;
    const interval = (lower, upper) => `${number(lower, size)} to ${number(upper, size)}`;
    figures.push(figure(`Forecast ${first}`, number(value[0], size) + unit, lower80
      ? `80 %: ${interval(lower80[0], upper80[0])}; 95 %: ${interval(lower95[0], upper95[0])}` : 'this recipe gives no interval'));
    if (naive) figures.push(figure(`Seasonal naive ${first}`, number(naive[0], size) + unit));
  }
  if (at(row, 'rmse') !== null) {
    figures.push(figure('RMSE one month ahead', number(at(row, 'rmse'), size) + unit,
      `${vocabulary.splits[at(row, 'split')]}, ${at(row, 'n')} months; seasonal naive: ${number(at(row, 'baseline_rmse'), size)}; skill ${formatted(at(row, 'skill'), 2)}`));
  }
  if (at(row, 'coverage_n')) {
    figures.push(figure('Inside the intervals', `${percent(at(row, 'coverage_80'))} and ${percent(at(row, 'coverage_95'))}`, `of ${at(row, 'coverage_n')} answered forecasts; meant: 80 and 95 %`));
  }
  return element('dl', { className: 'figures' }, ...figures);
}

function chartFigure(title, caption, size, ...controls) {
  const chart = element('div', { className: `chart ${size}`.trim(), role: 'img', 'aria-label': `${title}. ${caption}` });
  return { chart, figure: element('figure', {}, element('h3', {}, title), element('figcaption', {}, caption), element('div', { className: 'actions' }, ...controls), chart) };
}

function numbersOf(card) {
  const observed = valuesByMonth(card.observed);
  return [monthsTable(card, observed), comparisonTable(card, observed), scoresTable(card)];
}

function monthsTable(card, observed) {
  const columns = ['value', 'lower_80', 'upper_80', 'lower_95', 'upper_95', 'seasonal_naive'].filter((column) => card.forecast?.[column]);
  const forecastLines = columns.map((column) => valuesByMonth([card.forecast.first, card.forecast[column]]));
  const lines = [observed, valuesByMonth(card.train), valuesByMonth(card.test), ...forecastLines];
  const months = [...new Set([...observed.keys(), ...(forecastLines[0]?.keys() ?? [])])];
  const rows = months.map((month) => [month, ...lines.map((line) => line.get(month) ?? null)]);
  return numbersTable('All months: observed, predicted, forecast', ['month', 'observed', `predicted, ${vocabulary.splits.train}`, `predicted, ${vocabulary.splits.test}`, ...columns.map((column) => (column === 'value' ? 'forecast' : column))], rows, `${card.series} months`);
}

function comparisonTable(card, observed) {
  const rows = [...card.earlier, ...(card.forecast ? [card.forecast] : [])].flatMap((forecast) =>
    monthsFrom(forecast.first, forecast.value.length).map((month, step) => {
      const actual = observed.get(month) ?? null;
      const value = forecast.value[step];
      const isInside = (level) => (actual === null || !forecast[`lower_${level}`] ? null : forecast[`lower_${level}`][step] <= actual && actual <= forecast[`upper_${level}`][step]);
      return [forecast.origin, month, step + 1, value, actual, actual === null ? null : value - actual, forecast.seasonal_naive?.[step] ?? null, isInside(80), isInside(95), forecast.recipe, forecast.run_id];
    })).filter((row) => row[4] !== null);
  return numbersTable('Earlier forecasts beside what happened', ['run origin', 'month', 'months ahead', 'forecast', 'actual', 'error', 'seasonal naive', 'inside 80 %', 'inside 95 %', 'recipe', 'run'], rows, `${card.series} answered`);
}

function scoresTable(card) {
  const rows = card.scores.flatMap((score) => score.horizon.map((horizon, step) => [score.origin, score.split, horizon, score.n[step], score.rmse[step],
    score.baseline_rmse?.[step] ?? null, score.skill?.[step] ?? null, score.coverage_80?.[step] ?? null, score.coverage_95?.[step] ?? null, score.recipe, score.run_id]));
  return numbersTable('RMSE history', ['run origin', 'split', 'months ahead', 'months scored', 'rmse', 'seasonal naive’s rmse', 'skill', 'coverage 80', 'coverage 95', 'recipe', 'run'], rows, `${card.series} rmse`);
}

function neighbours(name) {
  const siblings = selectedRows.some((row) => at(row, 'series') === name) ? selectedRows : rows;
  const position = siblings.findIndex((row) => at(row, 'series') === name);
  const link = (row, text) => (row ? element('a', { href: `#${new URLSearchParams({ series: at(row, 'series') })}` }, text) : null);
  return element('nav', { 'aria-label': 'Series' }, element('a', { href: selection() }, '← All series'),
    link(siblings[position - 1], 'Previous series'), link(siblings[position + 1], 'Next series'));
}

async function showSeries(name) {
  const view = document.getElementById('series-view');
  const position = rows.findIndex((row) => at(row, 'series') === name);
  const heading = element('h2', { id: 'series-name', tabIndex: -1 }, name);
  view.replaceChildren(...(rows.length > 1 ? [neighbours(name)] : []), heading);
  if (position < 0) {
    view.append(element('p', {}, 'This run has no series of this name.'));
    return heading;
  }
  const card = await loadCard(position);
  if (new URLSearchParams(location.hash.slice(1)).get('series') !== name && rows.length > 1) return null; // the user followed another link in the meantime
  view.append(decisionOf(card), figuresOf(card, rows[position]));
  if (card.observed) await drawCharts(view, card);
  if (card.missing_predictions_reason) view.append(element('p', { className: 'note' }, `Predictions of past months are missing. ${card.missing_predictions_reason}`));
  view.append(...attributionOf(card), element('h3', {}, 'Numbers'), ...numbersOf(card));
  return heading;
}

function decisionOf(card) {
  const badge = (text) => element('span', { className: `badge ${text}` }, text);
  const reasons = [card.decision_reason, card.reason === 'ok' ? null : card.reason].filter(Boolean).map(spaced).join('; ');
  const sentences = [reasons ? `${reasons}.` : null, card.detail].filter(Boolean).map(capitalised);
  return element('p', {}, badge(card.outcome), ' ', card.decision ? badge(card.decision) : null, ` ${sentences.join(' ')}`);
}

async function drawCharts(view, card) {
  const rangeButtons = [['All', 0], ['10 years', 10], ['3 years', 3]].map(([name, years]) => element('button', { type: 'button', value: years, onclick: (event) => setRange(event.target) }, name));
  const history = chartFigure('Observed, predicted and forecast', `Months of ${card.series}; predictions are one month ahead.`, '', ...rangeButtons);
  let years = card.observed[1].length > 240 ? 10 : 0;
  const redraw = () => {
    rangeButtons.forEach((button) => button.setAttribute('aria-pressed', String(Number(button.value) === years)));
    return drawHistoryChart(history.chart, card, years);
  };
  const setRange = (button) => { years = Number(button.value); redraw(); };
  view.append(history.figure);
  await loadScript('plotly.min.js');
  await redraw();
  view.redraw = [redraw];
  if (card.scores.length) await drawScores(view, card);
}

async function drawScores(view, card) {
  const horizons = [...new Set(card.scores.filter((score) => score.split === 'live').flatMap((score) => score.horizon))].sort((a, b) => a - b);
  const horizonMenu = element('select', {}, ...(horizons.length ? horizons : [1]).map((horizon) => element('option', { value: horizon }, horizon === 1 ? '1 month' : `${horizon} months`)));
  const byOrigin = chartFigure('RMSE by origin', 'As each run found it: live over the twelve months before, training and test part where it trained.', 'small', element('label', {}, 'Ahead', horizonMenu));
  const byHorizon = chartFigure('RMSE by months ahead', 'Live, as the newest run found it.', 'small');
  const redrawByOrigin = () => drawRmseChart(byOrigin.chart, card, Number(horizonMenu.value));
  horizonMenu.addEventListener('change', redrawByOrigin);
  view.append(element('div', { className: 'pair' }, byOrigin.figure, horizons.length > 1 ? byHorizon.figure : null));
  view.redraw.push(redrawByOrigin);
  if (horizons.length > 1) view.redraw.push(() => drawHorizonChart(byHorizon.chart, card));
  for (const redraw of view.redraw.slice(1)) await redraw();
}
