// Tables of units with an order that the reader chooses, drawn a screen at a time.
import {h} from './dom.js';
import {go, state} from './state.js';
import {L} from './words.js';

const FIRST = 60;

/**
 * `columns`: `{name, label, value: row => number|text, cell: row => node, isText, isHidden}`.
 * The order is in the address: `sort=name` or `sort=-name`.
 */
export function sortable({rows, columns, by, label}) {
  const wanted = state.sort ?? by;
  const isDown = wanted.startsWith('-');
  const column = columns.find((of) => of.name === wanted.replace('-', '')) ?? columns[0];
  const value = (row) => column.value(row);
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x == null || y == null) return (x == null) - (y == null);
    const order = typeof x === 'string' ? x.localeCompare(y, state.lang === 'zh' ? 'zh-CN' : 'en') : x - y;
    return isDown ? -order : order;
  };
  const ordered = rows.toSorted(compare);
  const head = (of) => {
    const isOwn = of === column;
    const next = isOwn && isDown ? of.name : `-${of.name}`;
    const sorted = isOwn ? (isDown ? 'descending' : 'ascending') : null;
    return h((of.isText ? 'th' : 'th.n') + (of.isWide ? '.hidem' : ''), {scope: 'col', 'aria-sort': sorted}, of.value && of.label ?
      h('button.head', {type: 'button', onclick: () => go({sort: next}, {keep: true})}, of.label, isOwn ? (isDown ? ' ↓' : ' ↑') : '') : of.label);
  };
  const body = h('tbody');
  const line = (row) => h('tr', {}, columns.map((of) => h((of.isText ? 'td' : 'td.n') + (of.isWide ? '.hidem' : ''), {}, of.cell(row))));
  let drawn = 0;
  const more = h('p.more');
  const draw = (n) => {
    body.append(...ordered.slice(drawn, drawn + n).map(line));
    drawn = Math.min(ordered.length, drawn + n);
    more.replaceChildren(...(drawn < ordered.length ? [h('button.link', {type: 'button', onclick: () => draw(200)},
      L('再显示 {0} 行（共 {1} 行）', 'Show {0} more of {1} rows', Math.min(200, ordered.length - drawn), ordered.length))] : []));
  };
  draw(FIRST);
  // Reaching the end of the list draws the next rows.
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && drawn < ordered.length) draw(100);
  });
  observer.observe(more);
  return h('div.scroll', {tabindex: 0, role: 'region', 'aria-label': label}, h('table', {}, h('thead', {}, h('tr', {}, columns.map(head))), body), more);
}
