// How numbers, months and text are written; how elements and files are made. Names are text, never markup.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null) continue;
    if (name in made && !name.startsWith('aria')) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const formatters = new Map();
function formatted(value, decimals) {
  if (value === null || value === undefined) return '–';
  if (!formatters.has(decimals)) {
    formatters.set(decimals, new Intl.NumberFormat('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  }
  return formatters.get(decimals).format(value).replace('-', '−');
}

// As many decimals as show four digits of a number of this size.
function decimalsFor(size) {
  if (!size) return 0;
  return Math.min(Math.max(3 - Math.floor(Math.log10(Math.abs(size))), 0), 10);
}
const number = (value, size = value) => formatted(value, decimalsFor(size));
// A sign before what is not written as zero.
const withSign = (value, decimals) => {
  const text = formatted(Math.abs(value), decimals);
  return (/[1-9]/.test(text) ? (value > 0 ? '+' : '−') : '') + text;
};
const signed = (value, size = value) => withSign(value, decimalsFor(size));
const percent = (share) => (share === null || share === undefined ? '–' : `${formatted(100 * share, 0)} %`);
const count = (value) => formatted(value, 0);
const words = (text) => (text ?? '').replaceAll('_', ' ');

function monthsFrom(first, length) {
  const start = 12 * Number(first.slice(0, 4)) + Number(first.slice(5, 7)) - 1;
  return Array.from({ length }, (_, step) => monthOf(start + step));
}
function monthOf(ordinal) {
  return `${String(Math.floor(ordinal / 12)).padStart(4, '0')}-${String((ordinal % 12) + 1).padStart(2, '0')}`;
}

function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!sorted.length) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function csvOf(columns, rows) {
  const quoted = (value) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(quoted).join(',')).join('\n') + '\n';
}

function download(name, columns, rows) {
  const address = URL.createObjectURL(new Blob([csvOf(columns, rows)], { type: 'text/csv' }));
  element('a', { href: address, download: `${name.replace(/[^\p{L}\p{N}-]+/gu, '_')}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// A table that scrolls by itself; write: how a number of a column is written.
function scrollTable(title, columns, rows, write) {
  const numeric = columns.map((_, place) => (rows.some((row) => typeof row[place] === 'number') ? 'number' : ''));
  const written = (value, place) => (typeof value === 'number' ? write(value, place) : value === true ? 'yes' : value === false ? 'no' : value ?? '');
  const cells = (row) => row.map((value, place) => element(place ? 'td' : 'th',
    { className: numeric[place], scope: place ? null : 'row' }, written(value, place)));
  const head = columns.map((column, place) => element('th', { scope: 'col', className: numeric[place] }, words(column)));
  return element('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': title },
    element('table', {}, element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells(row))))));
}

// A table of numbers that opens on demand: what a chart shows, for those who read rather than look.
function numbersTable(title, columns, rows, file) {
  const decimals = columns.map((_, place) => {
    const numbers = rows.map((row) => row[place]).filter((value) => typeof value === 'number');
    return numbers.every(Number.isInteger) ? 0 : decimalsFor(numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
  });
  const details = element('details', {}, element('summary', {}, `${title} (${count(rows.length)} rows)`));
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    details.append(
      element('div', { className: 'actions' },
        element('button', { type: 'button', onclick: () => download(file, columns, rows) }, 'Download CSV')),
      scrollTable(title, columns, rows, (value, place) => formatted(value, decimals[place])));
  });
  return details;
}
