// The table of all series: tiles above it, searched, filtered, sorted and shown a page at a time.
const PAGE = 50;
const place = Object.fromEntries(milkrun.table.columns.map((column, position) => [column, position]));
const rows = milkrun.table.rows;
const vocabulary = milkrun.table.words;
const capitalised = (text) => text[0].toLocaleUpperCase() + text.slice(1);
const at = (row, column) => row[place[column]];
const state = { q: '', outcome: '', decision: '', sort: '', down: false, page: 0 };
let shown = [];

const scored = (row) => (at(row, 'split') === 'live' ? `live, ${at(row, 'n')}` : at(row, 'split') ? `test, ${at(row, 'n')}` : '');
const TABLE = [
  { name: 'Series', column: 'series', cell: (row) => [seriesLink(at(row, 'series'))] },
  { name: 'Outcome', column: 'outcome', cell: (row) => [
    element('span', { className: `badge ${at(row, 'outcome')}` }, at(row, 'outcome')),
    at(row, 'reason') === 'ok' ? '' : ` ${words(at(row, 'reason'))}`] },
  { name: 'Decision', column: 'decision', optional: true, cell: (row) => [at(row, 'decision') ?? '–',
    at(row, 'decision_reason') ? element('small', {}, `, ${words(at(row, 'decision_reason'))}`) : ''] },
  { name: 'Unit', column: 'unit', optional: true, cell: (row) => [at(row, 'unit') ?? ''] },
  { name: 'Last month', column: 'last_month', optional: true, cell: (row) => [at(row, 'last_month') ?? '–'] },
  { name: 'Last value', column: 'last_value', numeric: true, optional: true, cell: (row) => [number(at(row, 'last_value'))] },
  { name: 'Next month’s forecast', column: 'forecast', numeric: true, cell: (row) => [number(at(row, 'forecast'))] },
  { name: 'Change since last run', column: 'change', numeric: true, optional: true, cell: (row) => [
    at(row, 'change') === null ? '–' : signed(at(row, 'change'), at(row, 'forecast'))] },
  { name: 'RMSE', column: 'rmse', numeric: true, optional: true, cell: (row) => [number(at(row, 'rmse'), at(row, 'forecast'))] },
  { name: 'Seasonal naive’s RMSE', column: 'baseline_rmse', numeric: true, optional: true, cell: (row) => [number(at(row, 'baseline_rmse'), at(row, 'forecast'))] },
  { name: 'Skill', column: 'skill', numeric: true, cell: (row) => [
    element('span', { className: at(row, 'skill') > 0 ? 'good' : at(row, 'skill') < 0 ? 'bad' : '' }, formatted(at(row, 'skill'), 2))] },
  { name: 'Scored on, months', column: 'split', optional: true, cell: (row) => [scored(row)] },
];

function seriesLink(name) {
  return element('a', { href: `#${new URLSearchParams({ series: name })}`, title: name }, name);
}

function tiles() {
  const having = (column, value) => rows.filter((row) => at(row, column) === value);
  const skills = rows.map((row) => at(row, 'skill')).filter((skill) => skill !== null);
  const live = rows.filter((row) => at(row, 'coverage_n'));
  const answered = live.reduce((sum, row) => sum + at(row, 'coverage_n'), 0);
  const inside = (column) => live.reduce((sum, row) => sum + (at(row, column) ?? 0) * at(row, 'coverage_n'), 0) / answered;
  const splits = new Set(rows.map((row) => at(row, 'split')).filter(Boolean));
  const tile = (name, value, small = '', filter = null) => element('div', {}, element('dt', {}, name), element('dd', {},
    filter ? element('a', { href: `#${new URLSearchParams(filter)}` }, value) : value, small ? element('small', {}, small) : null));
  const counted = (name, column, value) => {
    const found = having(column, value).length;
    return tile(name, count(found), '', found && found < rows.length ? { [column]: value } : null);
  };
  document.getElementById('tiles').append(
    tile('Series', count(rows.length)),
    ...Object.entries(vocabulary.decisions).map(([decision, name]) => counted(capitalised(name), 'decision', decision)),
    ...vocabulary.outcomes.slice(1).filter((outcome, position) => position < 2 || having('outcome', outcome).length)
      .map((outcome) => counted(capitalised(outcome), 'outcome', outcome)),
    tile('Skill against the seasonal naive', formatted(median(skills), 2), skills.length
      ? `median, ${[...splits].join(' and ')}; better in ${count(skills.filter((skill) => skill > 0).length)} of ${count(skills.length)}`
      : 'nothing scored yet'),
    tile('Inside the 80 and 95 % intervals', answered ? `${percent(inside('coverage_80'))} and ${percent(inside('coverage_95'))}` : '–',
      answered ? `of ${count(answered)} answered forecasts` : 'no intervals answered yet'));
}

function select() {
  const needle = state.q.trim().toLocaleLowerCase();
  shown = rows.filter((row) => (!state.outcome || at(row, 'outcome') === state.outcome)
    && (!state.decision || at(row, 'decision') === state.decision)
    && (!needle || `${at(row, 'series')} ${words(at(row, 'reason'))} ${words(at(row, 'decision_reason'))}`.toLocaleLowerCase().includes(needle)));
  if (state.sort in place) {
    const collator = new Intl.Collator('en', { numeric: true });
    const direction = state.down ? -1 : 1;
    shown.sort((a, b) => {
      const [left, right] = [at(a, state.sort), at(b, state.sort)];
      if (left === null || right === null) return (left === null) - (right === null); // what is missing stays below
      return direction * (typeof left === 'number' ? left - right : collator.compare(left, right));
    });
  }
  state.page = Math.min(state.page, Math.max(0, Math.ceil(shown.length / PAGE) - 1));
}

function drawTable() {
  const table = document.getElementById('series-table');
  const classes = (column) => [column.numeric ? 'number' : '', column.optional ? 'optional' : ''].join(' ').trim();
  table.tHead.rows[0].replaceChildren(...TABLE.map((column) => {
    const sorted = state.sort === column.column;
    const button = element('button', { type: 'button', onclick: () => sortBy(column) }, column.name,
      element('span', { 'aria-hidden': 'true' }, sorted ? (state.down ? ' ▼' : ' ▲') : ''));
    return element('th', { scope: 'col', className: classes(column), 'aria-sort': sorted ? (state.down ? 'descending' : 'ascending') : null }, button);
  }));
  table.tBodies[0].replaceChildren(...shown.slice(state.page * PAGE, (state.page + 1) * PAGE).map((row) =>
    element('tr', {}, ...TABLE.map((column, position) => element(position ? 'td' : 'th',
      { className: classes(column), scope: position ? null : 'row' }, ...column.cell(row))))));
  document.getElementById('count').textContent = shown.length === rows.length
    ? `${count(rows.length)} series` : `${count(shown.length)} of ${count(rows.length)} series`;
  drawPages();
}

function sortBy(column) {
  state.down = state.sort === column.column ? !state.down : Boolean(column.numeric);
  state.sort = column.column;
  state.page = 0;
  remember();
  select();
  drawTable();
  document.querySelectorAll('#series-table thead button')[TABLE.indexOf(column)].focus();
}

function drawPages() {
  const last = Math.ceil(shown.length / PAGE) - 1;
  const step = (name, page) => element('button', { type: 'button', disabled: page < 0 || page > last || page === state.page,
    onclick: () => { state.page = page; drawTable(); document.getElementById('series-heading').scrollIntoView(); } }, name);
  document.getElementById('pages').replaceChildren(...(last < 1 ? [] : [
    step('First', 0), step('Previous', state.page - 1),
    element('span', {}, `Page ${count(state.page + 1)} of ${count(last + 1)}`),
    step('Next', state.page + 1), step('Last', last)]));
}

// The part of the address after # that brings this selection back.
function selection() {
  const kept = Object.entries(state).filter(([name, value]) => value && name !== 'page').map(([name, value]) => [name, String(value)]);
  return `#${new URLSearchParams(kept)}`;
}
const remember = () => history.replaceState(null, '', selection());

function downloadTable() {
  download(`run ${milkrun.table.run.run_id} series`, milkrun.table.columns, shown);
}
