// The page: its head, its theme, and the view that the part of the address after # names.
function writeHead() {
  const { run } = milkrun.table;
  document.getElementById('run-title').textContent = `run ${run.run_id}: ${run.origin}`;
  document.title = `Milkrun: ${run.origin}, run ${run.run_id}`;
  const published = new Date(run.published_at);
  document.getElementById('run-about').textContent = `Forecasts from origin ${run.origin} by recipe ${run.recipe}, ${run.kind}, `
    + `from what load ${run.as_of} and those before it brought; published ${published.toISOString().slice(0, 16).replace('T', ' ')} UTC.`;
  document.getElementById('table-note').textContent = 'Error = forecast − actual. RMSE is one month ahead, in the unit of the series; '
    + 'skill = 1 − RMSE / RMSE of the seasonal naive: above 0 the forecast is the better one. Predictions and forecasts are rounded to seven digits.';
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById('theme').textContent = theme === 'dark' ? 'Light' : 'Dark';
}

function prepareTheme() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let userTheme = null;
  const apply = () => {
    setTheme(userTheme ?? (system.matches ? 'dark' : 'light'));
    (document.getElementById('series-view').redraw ?? []).forEach((redraw) => redraw());
  };
  system.addEventListener('change', apply);
  document.getElementById('theme').addEventListener('click', () => {
    userTheme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    apply();
  });
  apply();
}

function prepareFilters() {
  for (const name of ['outcome', 'decision']) {
    const choices = [...new Set(rows.map((row) => at(row, name)).filter(Boolean))].sort();
    const menu = document.getElementById(name);
    menu.append(element('option', { value: '' }, 'all'), ...choices.map((choice) => element('option', { value: choice }, choice)));
    menu.addEventListener('change', () => applyFilter(name, menu.value));
  }
  const search = document.getElementById('search');
  search.addEventListener('input', () => applyFilter('q', search.value));
  document.getElementById('filters').addEventListener('submit', (event) => event.preventDefault());
  document.getElementById('download-table').addEventListener('click', downloadTable);
}

function applyFilter(name, value) {
  state[name] = value;
  state.page = 0;
  updateAddress();
  selectRows();
  drawTable();
}

// isMove: whether the user came from another view of the page; then the focus moves.
async function followAddress(isMove) {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const name = parameters.get('series') ?? (rows.length === 1 ? at(rows[0], 'series') : null);
  const view = document.getElementById('series-view');
  view.hidden = name === null;
  document.getElementById('overview').querySelectorAll(':scope > :not(#tiles)').forEach((section) => { section.hidden = name !== null; });
  document.getElementById('tiles').hidden = name !== null && rows.length > 1;
  if (name !== null) {
    try {
      const heading = await showSeries(name);
      if (isMove) { heading?.focus({ preventScroll: true }); window.scrollTo(0, 0); }
    } catch (failure) {
      view.append(element('p', { role: 'alert' }, String(failure.message ?? failure)));
    }
    return;
  }
  view.replaceChildren();
  view.redraw = [];
  for (const key of ['q', 'outcome', 'decision', 'sort']) state[key] = parameters.get(key) ?? '';
  state.down = parameters.has('down');
  document.getElementById('search').value = state.q;
  for (const key of ['outcome', 'decision']) document.getElementById(key).value = state[key];
  selectRows();
  drawTable();
  if (isMove) document.getElementById('main').focus({ preventScroll: true });
}

writeHead();
drawTiles();
prepareFilters();
prepareTheme();
selectRows();
followAddress(false);
window.addEventListener('hashchange', () => followAddress(true));
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address stays that of the series
  document.getElementById('main').focus();
});
