// The table of all series, with tiles above it. Its rows are searched, filtered and sorted, and displayed page by page.
const PAGE_ROWS = 50;
const columnPositions = Object.fromEntries(milkrun.table.columns.map((column, position) => [column, position]));
const rows = milkrun.table.rows;
const vocabulary = milkrun.table.words;
const at = (row, column) => row[columnPositions[column]];
const state = { q: '', outcome: '', decision: '', sort: '', down: false, page: 0 };
let selectedRows = [];

const scoreText = (row) => (at(row, 'split') ? `${at(row, 'split')}, ${at(row, 'n')}` : '');
const TABLE_COLUMNS = [
  { name: 'Series', column: 'series', cell: (row) => [seriesLink(at(row, 'series'))] },
  { name: 'Outcome', column: 'outcome', cell: (row) => [
    element('span', { className: `badge ${at(row, 'outcome')}` }, at(row, 'outcome')),
    at(row, 'reason') === 'ok' ? '' : ` ${spaced(at(row, 'reason'))}`] },
  { name: 'Decision', column: 'decision', optional: true, cell: (row) => [at(row, 'decision') ?? '–',
    at(row, 'decision_reason') ? element('small', {}, `, ${spaced(at(row, 'decision_reason'))}`) : ''] },
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
  { name: 'Scored on, months', column: 'split', optional: true, cell: (row) => [scoreText(row)] },
];

function seriesLink(name) {
  return element('a', { href: `#${new URLSearchParams({ series: name })}`, title: name }, name);
}

function drawTiles() {
  const rowsWith = (column, value) => rows.filter((row) => at(row, column) === value);
  const skills = rows.map((row) => at(row, 'skill')).filter((skill) => skill !== null);
  const rowsWithCoverage = rows.filter((row) => at(row, 'coverage_n'));
  const scoredCount = rowsWithCoverage.reduce((sum, row) => sum + at(row, 'coverage_n'), 0);
  const coverage = (column) => rowsWithCoverage.reduce((sum, row) => sum + (at(row, column) ?? 0) * at(row, 'coverage_n'), 0) / scoredCount;
  const splits = new Set(rows.map((row) => at(row, 'split')).filter(Boolean));
  const tile = (name, value, note = '', filter = null) => element('div', {}, element('dt', {}, name), element('dd', {},
    filter ? element('a', { href: `#${new URLSearchParams(filter)}` }, value) : value, note ? element('small', {}, note) : null));
  const countTile = (name, column, value) => {
    const rowCount = rowsWith(column, value).length;
    return tile(name, count(rowCount), '', rowCount && rowCount < rows.length ? { [column]: value } : null);
  };
  document.getElementById('tiles').append(
    tile('Series', count(rows.length)),
    ...Object.entries(vocabulary.decisions).map(([decision, name]) => countTile(capitalised(name), 'decision', decision)),
    ...vocabulary.outcomes.slice(1).filter((outcome, position) => position < 2 || rowsWith('outcome', outcome).length)
      .map((outcome) => countTile(capitalised(outcome), 'outcome', outcome)),
    tile('Skill against the seasonal naive', formatted(median(skills), 2), skills.length
      ? `median, ${[...splits].join(' and ')}; better in ${count(skills.filter((skill) => skill > 0).length)} of ${count(skills.length)}`
      : 'nothing scored yet'),
    tile('Inside the 80 and 95 % intervals', scoredCount ? `${percent(coverage('coverage_80'))} and ${percent(coverage('coverage_95'))}` : '–',
      scoredCount ? `of ${count(scoredCount)} answered forecasts` : 'no intervals answered yet'));
}

function selectRows() {
  const searchText = state.q.trim().toLocaleLowerCase();
  selectedRows = rows.filter((row) => (!state.outcome || at(row, 'outcome') === state.outcome)
    && (!state.decision || at(row, 'decision') === state.decision)
    && (!searchText || `${at(row, 'series')} ${spaced(at(row, 'reason'))} ${spaced(at(row, 'decision_reason'))}`.toLocaleLowerCase().includes(searchText)));
  if (state.sort in columnPositions) {
    const collator = new Intl.Collator('en', { numeric: true });
    const direction = state.down ? -1 : 1;
    selectedRows.sort((a, b) => {
      const [left, right] = [at(a, state.sort), at(b, state.sort)];
      if (left === null || right === null) return (left === null) - (right === null); // rows without a value stay last
      return direction * (typeof left === 'number' ? left - right : collator.compare(left, right));
    });
  }
  state.page = Math.min(state.page, Math.max(0, Math.ceil(selectedRows.length / PAGE_ROWS) - 1));
}

function drawTable() {
  const table = document.getElementById('series-table');
  const classes = (column) => [column.numeric ? 'number' : '', column.optional ? 'optional' : ''].join(' ').trim();
  table.tHead.rows[0].replaceChildren(...TABLE_COLUMNS.map((column) => {
    const sorted = state.sort === column.column;
    const button = element('button', { type: 'button', onclick: () => sortBy(column) }, column.name,
      element('span', { 'aria-hidden': 'true' }, sorted ? (state.down ? ' ▼' : ' ▲') : ''));
    return element('th', { scope: 'col', className: classes(column), 'aria-sort': sorted ? (state.down ? 'descending' : 'ascending') : null }, button);
  }));
  table.tBodies[0].replaceChildren(...selectedRows.slice(state.page * PAGE_ROWS, (state.page + 1) * PAGE_ROWS).map((row) =>
    element('tr', {}, ...TABLE_COLUMNS.map((column, position) => element(position ? 'td' : 'th',
      { className: classes(column), scope: position ? null : 'row' }, ...column.cell(row))))));
  document.getElementById('count').textContent = selectedRows.length === rows.length
    ? `${count(rows.length)} series` : `${count(selectedRows.length)} of ${count(rows.length)} series`;
  drawPages();
}

function sortBy(column) {
  state.down = state.sort === column.column ? !state.down : Boolean(column.numeric);
  state.sort = column.column;
  state.page = 0;
  updateAddress();
  selectRows();
  drawTable();
  document.querySelectorAll('#series-table thead button')[TABLE_COLUMNS.indexOf(column)].focus();
}

function drawPages() {
  const last = Math.ceil(selectedRows.length / PAGE_ROWS) - 1;
  const step = (name, page) => element('button', { type: 'button', disabled: page < 0 || page > last || page === state.page,
    onclick: () => { state.page = page; drawTable(); document.getElementById('series-heading').scrollIntoView(); } }, name);
  document.getElementById('pages').replaceChildren(...(last < 1 ? [] : [
    step('First', 0), step('Previous', state.page - 1),
    element('span', {}, `Page ${count(state.page + 1)} of ${count(last + 1)}`),
    step('Next', state.page + 1), step('Last', last)]));
}

// The part of the address after # that leads to this selection again.
function selection() {
  const parameters = Object.entries(state).filter(([name, value]) => value && name !== 'page').map(([name, value]) => [name, String(value)]);
  return `#${new URLSearchParams(parameters)}`;
}
const updateAddress = () => history.replaceState(null, '', selection());

function downloadTable() {
  download(`run ${milkrun.table.run.run_id} series`, milkrun.table.columns, selectedRows);
}
