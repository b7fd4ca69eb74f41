// The page: its head, the theme, and the part of the address after # that says what is shown.
function head() {
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

function theme() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  const apply = () => {
    setTheme(chosen ?? (system.matches ? 'dark' : 'light'));
    (document.getElementById('series-view').redraw ?? []).forEach((redraw) => redraw());
  };
  system.addEventListener('change', apply);
  document.getElementById('theme').addEventListener('click', () => {
    chosen = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    apply();
  });
  apply();
}

function filters() {
  for (const name of ['outcome', 'decision']) {
    const choices = [...new Set(rows.map((row) => at(row, name)).filter(Boolean))].sort();
    const select_ = document.getElementById(name);
    select_.append(element('option', { value: '' }, 'all'), ...choices.map((choice) => element('option', { value: choice }, choice)));
    select_.addEventListener('change', () => filter(name, select_.value));
  }
  const search = document.getElementById('search');
  search.addEventListener('input', () => filter('q', search.value));
  document.getElementById('filters').addEventListener('submit', (event) => event.preventDefault());
  document.getElementById('download-table').addEventListener('click', downloadTable);
}

function filter(name, value) {
  state[name] = value;
  state.page = 0;
  remember();
  select();
  drawTable();
}

async function follow(arrived) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const name = asked.get('series') ?? (rows.length === 1 ? at(rows[0], 'series') : null);
  const view = document.getElementById('series-view');
  view.hidden = name === null;
  document.getElementById('overview').querySelectorAll(':scope > :not(#tiles)').forEach((part) => { part.hidden = name !== null; });
  document.getElementById('tiles').hidden = name !== null && rows.length > 1;
  if (name !== null) {
    try {
      const heading = await showSeries(name);
      if (arrived) { heading?.focus({ preventScroll: true }); window.scrollTo(0, 0); }
    } catch (failure) {
      view.append(element('p', { role: 'alert' }, String(failure.message ?? failure)));
    }
    return;
  }
  view.replaceChildren();
  view.redraw = [];
  for (const key of ['q', 'outcome', 'decision', 'sort']) state[key] = asked.get(key) ?? '';
  state.down = asked.has('down');
  document.getElementById('search').value = state.q;
  for (const key of ['outcome', 'decision']) document.getElementById(key).value = state[key];
  select();
  drawTable();
  if (arrived) document.getElementById('main').focus({ preventScroll: true });
}

head();
tiles();
filters();
theme();
select();
follow(false);
window.addEventListener('hashchange', () => follow(true));
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault(); // the address keeps saying which series is shown
  document.getElementById('main').focus();
});
