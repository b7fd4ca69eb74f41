// One series: what was decided and why, its charts, and the numbers behind them.
async function loadCard(position) {
  const chunk = Math.floor(position / milkrun.table.chunk);
  if (!milkrun.chunks.has(chunk)) await loadScript(`data/series-${String(chunk).padStart(5, '0')}.js`);
  return milkrun.chunks.get(chunk)[position % milkrun.table.chunk];
}

function figuresOf(card) {
  const size = card.forecast?.value[0] ?? card.observed?.[1].at(-1);
  const unit = card.unit ? ` ${card.unit}` : '';
  const figure = (name, value, small) => element('div', {}, element('dt', {}, name), element('dd', {}, value, small ? element('small', {}, small) : null));
  const found = [];
  if (card.observed && card.origin) {
    const months = monthsFrom(card.observed[0], card.observed[1].length);
    found.push(figure(`Observed ${card.origin}`, number(card.observed[1][months.indexOf(card.origin)], size) + unit));
  }
  if (card.forecast) {
    const { value, lower_80: low, upper_80: high, lower_95: lowest, upper_95: highest, seasonal_naive: naive, first } = card.forecast;
    const interval = (from, to) => `${number(from, size)} to ${number(to, size)}`;
    found.push(figure(`Forecast ${first}`, number(value[0], size) + unit, low
      ? `80 %: ${interval(low[0], high[0])}; 95 %: ${interval(lowest[0], highest[0])}` : 'this recipe gives no interval'));
    if (naive) found.push(figure(`Seasonal naive ${first}`, number(naive[0], size) + unit));
  }
  const live = card.scores.filter((score) => score.split === 'live').at(-1);
  const test = card.scores.filter((score) => score.split === 'test').at(-1);
  const score = live ?? test;
  if (score) {
    found.push(figure('RMSE one month ahead', number(score.rmse[0], size) + unit,
      `${live ? 'live' : 'test part'}, ${score.n[0]} months; seasonal naive: ${number(score.baseline_rmse?.[0] ?? null, size)}; skill ${formatted(score.skill?.[0] ?? null, 2)}`));
  }
  if (live?.coverage_80) {
    const answered = live.n.reduce((sum, n) => sum + n);
    const share = (column) => percent(live.n.reduce((sum, n, step) => sum + n * (live[column][step] ?? 0), 0) / answered);
    found.push(figure('Inside the intervals', `${share('coverage_80')} and ${share('coverage_95')}`, `of ${answered} answered forecasts; meant: 80 and 95 %`));
  }
  return element('dl', { className: 'figures' }, ...found);
}

function chartFigure(title, caption, size, ...controls) {
  const chart = element('div', { className: `chart ${size}`.trim(), role: 'img', 'aria-label': `${title}. ${caption}` });
  return { chart, figure: element('figure', {}, element('h3', {}, title), element('figcaption', {}, caption), element('div', { className: 'actions' }, ...controls), chart) };
}

function numbersOf(card) {
  const observed = new Map(card.observed ? monthsFrom(card.observed[0], card.observed[1].length).map((month, step) => [month, card.observed[1][step]]) : []);
  const by = (line) => new Map(line ? monthsFrom(line[0], line[1].length).map((month, step) => [month, line[1][step]]) : []);
  const columns = ['value', 'lower_80', 'upper_80', 'lower_95', 'upper_95', 'seasonal_naive'];
  const present = columns.filter((column) => card.forecast?.[column]);
  const ahead = present.map((column) => by([card.forecast.first, card.forecast[column]]));
  const [train, test] = [by(card.train), by(card.test)];
  const months = [...new Set([...observed.keys(), ...(ahead[0]?.keys() ?? [])])];
  const all = months.map((month) => [month, observed.get(month) ?? null, train.get(month) ?? null, test.get(month) ?? null, ...ahead.map((line) => line.get(month) ?? null)]);
  const answers = [...card.earlier, ...(card.forecast ? [card.forecast] : [])].flatMap((forecast) =>
    monthsFrom(forecast.first, forecast.value.length).map((month, step) => {
      const actual = observed.get(month) ?? null;
      const value = forecast.value[step];
      const inside = (level) => (actual === null || !forecast[`lower_${level}`] ? null : forecast[`lower_${level}`][step] <= actual && actual <= forecast[`upper_${level}`][step]);
      return [forecast.origin, month, step + 1, value, actual, actual === null ? null : value - actual, forecast.seasonal_naive?.[step] ?? null, inside(80), inside(95), forecast.recipe, forecast.run_id];
    })).filter((row) => row[4] !== null);
  const scores = card.scores.flatMap((score) => score.horizon.map((horizon, step) => [score.origin, score.split, horizon, score.n[step], score.rmse[step],
    score.baseline_rmse?.[step] ?? null, score.skill?.[step] ?? null, score.coverage_80?.[step] ?? null, score.coverage_95?.[step] ?? null, score.recipe, score.run_id]));
  return [
    numbersTable('All months: observed, predicted, forecast', ['month', 'observed', 'predicted, training part', 'predicted, test part', ...present.map((column) => (column === 'value' ? 'forecast' : column))], all, `${card.series} months`),
    numbersTable('Earlier forecasts beside what happened', ['run origin', 'month', 'months ahead', 'forecast', 'actual', 'error', 'seasonal naive', 'inside 80 %', 'inside 95 %', 'recipe', 'run'], answers, `${card.series} answered`),
    numbersTable('RMSE history', ['run origin', 'split', 'months ahead', 'months scored', 'rmse', 'seasonal naive’s rmse', 'skill', 'coverage 80', 'coverage 95', 'recipe', 'run'], scores, `${card.series} rmse`),
  ];
}

function neighbours(name) {
  const among = shown.some((row) => at(row, 'series') === name) ? shown : rows;
  const position = among.findIndex((row) => at(row, 'series') === name);
  const link = (row, text) => (row ? element('a', { href: `#${new URLSearchParams({ series: at(row, 'series') })}` }, text) : null);
  return element('nav', { 'aria-label': 'Series' }, element('a', { href: selection() }, '← All series'),
    link(among[position - 1], 'Previous series'), link(among[position + 1], 'Next series'));
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
  if (new URLSearchParams(location.hash.slice(1)).get('series') !== name && rows.length > 1) return null; // another link was followed meanwhile
  view.append(decisionOf(card), figuresOf(card));
  if (card.observed) await drawCharts(view, card);
  if (card.missing_past) view.append(element('p', { className: 'note' }, `Predictions of past months are missing. ${card.missing_past}`));
  view.append(...ledgerOf(card), element('h3', {}, 'Numbers'), ...numbersOf(card));
  return heading;
}

function decisionOf(card) {
  const badge = (text) => element('span', { className: `badge ${text}` }, text);
  const because = [card.decision_reason, card.reason === 'ok' ? null : card.reason].filter(Boolean).map(words).join('; ');
  const sentences = [because ? `${because}.` : null, card.detail].filter(Boolean).map(capitalised);
  return element('p', {}, badge(card.outcome), ' ', card.decision ? badge(card.decision) : null, ` ${sentences.join(' ')}`);
}

async function drawCharts(view, card) {
  const ranges = [['All', 0], ['10 years', 10], ['3 years', 3]].map(([name, years]) => element('button', { type: 'button', value: years, onclick: (event) => range(event.target) }, name));
  const main = chartFigure('Observed, predicted and forecast', `Months of ${card.series}; predictions are one month ahead.`, '', ...ranges);
  let years = card.observed[1].length > 240 ? 10 : 0;
  const redraw = () => {
    ranges.forEach((button) => button.setAttribute('aria-pressed', String(Number(button.value) === years)));
    return historyChart(main.chart, card, years);
  };
  const range = (button) => { years = Number(button.value); redraw(); };
  view.append(main.figure);
  await loadScript('plotly.min.js');
  await redraw();
  view.redraw = [redraw];
  if (card.scores.length) await drawScores(view, card);
}

async function drawScores(view, card) {
  const horizons = [...new Set(card.scores.filter((score) => score.split === 'live').flatMap((score) => score.horizon))].sort((a, b) => a - b);
  const choice = element('select', {}, ...(horizons.length ? horizons : [1]).map((horizon) => element('option', { value: horizon }, horizon === 1 ? '1 month' : `${horizon} months`)));
  const trend = chartFigure('RMSE by origin', 'As each run found it: live over the twelve months before, training and test part where it trained.', 'small', element('label', {}, 'Ahead', choice));
  const across = chartFigure('RMSE by months ahead', 'Live, as the newest run found it.', 'small');
  const redrawTrend = () => rmseChart(trend.chart, card, Number(choice.value));
  choice.addEventListener('change', redrawTrend);
  view.append(element('div', { className: 'pair' }, trend.figure, horizons.length > 1 ? across.figure : null));
  view.redraw.push(redrawTrend);
  if (horizons.length > 1) view.redraw.push(() => horizonChart(across.chart, card));
  for (const each of view.redraw.slice(1)) await each();
}
