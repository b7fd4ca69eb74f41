// Charts by Plotly, which is loaded with the first chart. Lines differ in style as well as in colour.
const LIGHT = { observed: '#1f77b4', train: '#e06c00', test: '#2a8a2a', forecast: '#7b3fa0', naive: '#6b6b6b', earlier: '#7b3fa0', grid: '#e3e6e9', ink: '#1a1d21', paper: '#ffffff' };
const DARK = { observed: '#6cb4ee', train: '#ffa34d', test: '#74d174', forecast: '#d3a0f5', naive: '#b5b5b5', earlier: '#d3a0f5', grid: '#333a41', ink: '#e8eaed', paper: '#15181c' };
const colours = () => (document.documentElement.dataset.theme === 'dark' ? DARK : LIGHT);
const withAlpha = (colour, alpha) => colour + Math.round(255 * alpha).toString(16).padStart(2, '0');

const scripts = new Map();
function loadScript(address) {
  if (!scripts.has(address)) {
    scripts.set(address, new Promise((resolve, reject) => {
      document.head.append(element('script', { src: address, onload: resolve,
        onerror: () => { scripts.delete(address); reject(new Error(`${address} is missing beside this page.`)); } }));
    }));
  }
  return scripts.get(address);
}

const firstDays = (first, length, shift = 0) => monthsFrom(first, length, shift).map((month) => `${month}-01`);
function trace([first, values], name, line, more = {}) {
  return { x: firstDays(first, values.length), y: values, name, mode: 'lines', line, connectgaps: false, ...more };
}

function layout(unit, more = {}) {
  const theme = colours();
  const narrow = window.innerWidth < 720;
  const axis = { gridcolor: theme.grid, linecolor: theme.grid, zerolinecolor: theme.grid, automargin: true };
  return {
    paper_bgcolor: theme.paper, plot_bgcolor: theme.paper, font: { color: theme.ink, family: 'system-ui, sans-serif', size: narrow ? 12 : 13 },
    margin: { l: 10, r: 10, t: 10, b: 10 }, hovermode: 'x unified', separators: '.,',
    hoverlabel: { bgcolor: theme.paper, font: { color: theme.ink } },
    legend: { orientation: 'h', yref: 'container', y: 0, yanchor: 'bottom', x: 0 },
    xaxis: { ...axis, type: 'date', hoverformat: '%Y-%m', tickformatstops: [{ dtickrange: [null, 'M11'], value: '%Y-%m' }, { dtickrange: ['M12', null], value: '%Y' }] },
    yaxis: { ...axis, title: { text: unit }, tickformat: ',~r', hoverformat: ',.5~r' },
    ...more,
  };
}

function drawChart(container, traces, figure) {
  return Plotly.react(container, traces, figure, { displayModeBar: false, responsive: true, scrollZoom: false });
}

function bandTraces(forecast, level, name, colour) {
  const [lower, upper] = [forecast[`lower_${level}`], forecast[`upper_${level}`]];
  if (!lower || !upper) return [];
  const edge = { line: { width: 0 }, hoverinfo: 'skip', legendgroup: name };
  return [
    trace([forecast.first, lower], name, {}, { ...edge, showlegend: false }),
    trace([forecast.first, upper], name, {}, { ...edge, fill: 'tonexty', fillcolor: colour }),
  ];
}

// All earlier forecasts as one line with gaps. Each forecast begins at the observed value of its origin.
function earlierTrace(card, theme) {
  const x = [];
  const y = [];
  const observed = valuesByMonth(card.observed);
  for (const forecast of card.earlier) {
    const days = firstDays(forecast.first, forecast.value.length + 1, -1);
    x.push(...days, days.at(-1));
    y.push(observed.get(days[0].slice(0, 7)) ?? null, ...forecast.value, null);
  }
  return { x, y, name: `earlier forecasts, from ${card.earlier.length} origins`, mode: 'lines', hoverinfo: 'skip', connectgaps: false,
    line: { color: withAlpha(theme.earlier, 0.45), width: 1 } };
}

function drawHistoryChart(container, card, years) {
  const theme = colours();
  const traces = [];
  const add = (line, name, style, more) => { if (line) traces.push(trace(line, name, style, more)); };
  if (card.forecast) {
    traces.push(...bandTraces(card.forecast, 95, '95 % interval', withAlpha(theme.forecast, 0.16)));
    traces.push(...bandTraces(card.forecast, 80, '80 % interval', withAlpha(theme.forecast, 0.28)));
  }
  add(card.observed, 'observed', { color: theme.observed, width: 2 });
  add(card.train, `predicted, ${vocabulary.splits.train}`, { color: theme.train, width: 1.5 });
  add(card.test, `predicted, ${vocabulary.splits.test}`, { color: theme.test, width: 1.5, dash: 'dashdot' });
  if (card.earlier.length) traces.push(earlierTrace(card, theme));
  if (card.forecast) {
    if (card.forecast.seasonal_naive) add([card.forecast.first, card.forecast.seasonal_naive], 'seasonal naive', { color: theme.naive, width: 1.5, dash: 'dot' });
    add([card.forecast.first, card.forecast.value], 'forecast', { color: theme.forecast, width: 2, dash: 'dash' }, { mode: 'lines+markers', marker: { size: 5 } });
  }
  const figure = layout(card.unit ?? 'value');
  const months = traces.flatMap(({ x }) => [x[0], x.at(-1)]).filter(Boolean).sort();
  if (months.length) showYears(figure, traces, months[0], months.at(-1), years);
  return drawChart(container, traces, figure);
}

// Show the last years (0: all); the vertical axis fits the values of the visible months.
function showYears(figure, traces, first, last, years) {
  const start = years ? [first, `${Number(last.slice(0, 4)) - years}${last.slice(4)}`].sort().at(-1) : first;
  figure.xaxis.range = [start, last];
  const visibleValues = traces.flatMap(({ x, y }) => y.filter((value, step) => value !== null && x[step] >= start));
  const [low, high] = visibleValues.reduce(([minimum, maximum], value) => [Math.min(minimum, value), Math.max(maximum, value)], [Infinity, -Infinity]);
  const margin = 0.05 * (high - low || Math.abs(high) || 1);
  figure.yaxis.range = [low - margin, high + margin];
}

// rmse, baseline: the points {x, y} of live scores.
function liveTraces(theme, rmse, baseline) {
  return [
    { ...rmse, name: vocabulary.splits.live, mode: 'lines+markers', line: { color: theme.observed, width: 2 }, marker: { symbol: 'circle', size: 7 } },
    { ...baseline, name: `seasonal naive, ${vocabulary.splits.live}`, mode: 'lines+markers', line: { color: theme.naive, width: 1.5, dash: 'dot' }, marker: { symbol: 'x', size: 6 } },
  ];
}

function drawRmseChart(container, card, horizon) {
  const theme = colours();
  const points = (split, column) => {
    const scores = card.scores.filter((score) => score.split === split && score.horizon.includes(horizon) && score[column]);
    return { x: scores.map((score) => `${score.origin}-01`), y: scores.map((score) => score[column][score.horizon.indexOf(horizon)]) };
  };
  const traces = [
    ...liveTraces(theme, points('live', 'rmse'), points('live', 'baseline_rmse')),
    { ...points('train', 'rmse'), name: vocabulary.splits.train, mode: 'markers', marker: { color: theme.train, symbol: 'square', size: 9 } },
    { ...points('test', 'rmse'), name: vocabulary.splits.test, mode: 'markers', marker: { color: theme.test, symbol: 'diamond', size: 10 } },
    { ...points('test', 'baseline_rmse'), name: `seasonal naive, ${vocabulary.splits.test}`, mode: 'markers', marker: { color: theme.naive, symbol: 'diamond-open', size: 10 } },
  ].filter(({ x }) => x.length);
  const figure = layout(card.unit ?? 'value');
  figure.yaxis.rangemode = 'tozero';
  figure.xaxis.title = { text: 'origin of the run' };
  const origins = [...new Set(traces.flatMap(({ x }) => x))];
  if (origins.length < 4) Object.assign(figure.xaxis, { type: 'category', categoryorder: 'category ascending', tickvals: origins, ticktext: origins.map((day) => day.slice(0, 7)) });
  return drawChart(container, traces, figure);
}

function drawHorizonChart(container, card) {
  const theme = colours();
  const { horizon, rmse, baseline_rmse: baseline } = card.scores.filter((score) => score.split === 'live').at(-1);
  const traces = liveTraces(theme, { x: horizon, y: rmse }, { x: horizon, y: baseline ?? [] });
  const figure = layout(card.unit ?? 'value');
  figure.yaxis.rangemode = 'tozero';
  Object.assign(figure.xaxis, { type: 'linear', title: { text: 'months ahead' }, dtick: horizon.length > 12 ? 2 : 1, hoverformat: 'd', tickformatstops: null, tickformat: 'd' });
  return drawChart(container, traces, figure);
}
