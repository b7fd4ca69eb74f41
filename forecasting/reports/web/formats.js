// Formats of numbers, months and text; elements and files. The name of a series is always text, never markup.
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null) continue;
    if (name in node && !name.startsWith('aria')) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const formatters = new Map();
function formatted(value, decimals) {
  if (value === null || value === undefined) return '–';
  if (!formatters.has(decimals)) {
    formatters.set(decimals, new Intl.NumberFormat('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  }
  return formatters.get(decimals).format(value).replace('-', '−');
}

// The decimals that show four digits of a number of this size.
function decimalsFor(size) {
  if (!size) return 0;
  return Math.min(Math.max(3 - Math.floor(Math.log10(Math.abs(size))), 0), 10);
}
const number = (value, size = value) => formatted(value, decimalsFor(size));
// A number with its sign; without a sign where its text is zero.
const withSign = (value, decimals) => {
  const text = formatted(Math.abs(value), decimals);
  return (/[1-9]/.test(text) ? (value > 0 ? '+' : '−') : '') + text;
};
const signed = (value, size = value) => withSign(value, decimalsFor(size));
const percent = (share) => (share === null || share === undefined ? '–' : `${formatted(100 * share, 0)} %`);
const count = (value) => formatted(value, 0);
const spaced = (text) => (text ?? '').replaceAll('_', ' ');
const capitalised = (text) => text[0].toLocaleUpperCase() + text.slice(1);

// Months are written YYYY-MM. shift: how many months after `first` the result begins.
function monthsFrom(first, length, shift = 0) {
  const start = 12 * Number(first.slice(0, 4)) + Number(first.slice(5, 7)) - 1 + shift;
  return Array.from({ length }, (_, step) => monthOf(start + step));
}
// The values of a line, by month; a line is its first month and its values.
function valuesByMonth(line) {
  return new Map(line ? monthsFrom(line[0], line[1].length).map((month, step) => [month, line[1][step]]) : []);
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

// Text that a spreadsheet would take for a formula gets an apostrophe, as in the program's own CSV (forecasting/cli/output.py).
const FORMULA = /^ *[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
function csvOf(columns, rows) {
  const field = (value) => {
    const text = value === null || value === undefined ? '' : typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(field).join(',')).join('\n') + '\n';
}

function download(name, columns, rows) {
  const address = URL.createObjectURL(new Blob([csvOf(columns, rows)], { type: 'text/csv' }));
  element('a', { href: address, download: `${name.replace(/[^\p{L}\p{N}-]+/gu, '_')}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// A table that scrolls by itself. format: gives the text of a number, from the number and the position of its column.
function scrollTable(title, columns, rows, format) {
  const numeric = columns.map((_, position) => (rows.some((row) => typeof row[position] === 'number') ? 'number' : ''));
  const text = (value, position) => (typeof value === 'number' ? format(value, position) : value === true ? 'yes' : value === false ? 'no' : value ?? '');
  const cells = (row) => row.map((value, position) => element(position ? 'td' : 'th',
    { className: numeric[position], scope: position ? null : 'row' }, text(value, position)));
  const head = columns.map((column, position) => element('th', { scope: 'col', className: numeric[position] }, spaced(column)));
  return element('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': title },
    element('table', {}, element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...rows.map((row) => element('tr', {}, ...cells(row))))));
}

// A table of numbers that opens by a click: the same numbers as in a chart.
function numbersTable(title, columns, rows, file) {
  const decimals = columns.map((_, position) => {
    const numbers = rows.map((row) => row[position]).filter((value) => typeof value === 'number');
    return numbers.every(Number.isInteger) ? 0 : decimalsFor(numbers.reduce((maximum, value) => Math.max(maximum, Math.abs(value)), 0));
  });
  const details = element('details', {}, element('summary', {}, `${title} (${count(rows.length)} rows)`));
  details.addEventListener('toggle', () => {
    if (!details.open || details.childElementCount > 1) return;
    details.append(
      element('div', { className: 'actions' },
        element('button', { type: 'button', onclick: () => download(file, columns, rows) }, 'Download CSV')),
      scrollTable(title, columns, rows, (value, position) => formatted(value, decimals[position])));
  });
  return details;
}
