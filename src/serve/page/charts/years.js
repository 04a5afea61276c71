// One line a year over the months: this year thick, last year darker, earlier years behind.
import {areaY, dot, gridY, line, ruleY, text} from '../vendor/plot.js';
import {h} from '../core/dom.js';
import {num, signed} from '../core/format.js';
import {L, MONTHS, isChinese, monthTick} from '../core/words.js';
import {apart, domainOf, draw} from './base.js';

const FIRST = 2; // January and February are one point.

/** The values that a domain must cover: this year and last year, with their bands. */
export const covered = (data, year) =>
  data.filter((of) => of.year >= year - 1 && of.month >= FIRST).flatMap((of) => [of.value, of.low, of.high]);

/**
 * `data`: `{year, month, value, low, high}` in units of the chart.
 * `domain` can be shared by several panels.
 */
export function yearLines({data, year, width, height = 250, digits = 1, shared, label = ''}) {
  const shown = data.filter((of) => of.month >= FIRST && of.value != null);
  const now = shown.filter((of) => of.year === year);
  const before = shown.filter((of) => of.year === year - 1);
  const earlier = shown.filter((of) => of.year < year - 1);
  const {domain, ticks, digits: tickDigits} = domainOf(shared ?? covered(data, year));
  const isIn = (value) => value >= domain[0] && value <= domain[1];
  const years = [...new Set(earlier.map((of) => of.year))];
  const middle = (of) => earlier.filter((row) => row.year === of).map((row) => row.value).sort((a, b) => a - b);
  const outside = years.filter((of) => { const all = middle(of); return !isIn(all[all.length >> 1]); });
  const inside = earlier.filter((of) => !outside.includes(of.year));
  const isLast = (of, at, all) => !all.slice(at + 1).some((later) => later.year === of.year);
  const ends = inside.filter(isLast).filter((of) => isIn(of.value));
  const last = now.at(-1);
  const labels = [...ends.map((of) => ({...of, colour: 'var(--ink3)', weight: 400})),
    ...before.slice(-1).map((of) => ({...of, colour: 'var(--ink2)', weight: 700}))];
  const inner = height - 37;
  const pixel = (value) => (domain[1] - value) / (domain[1] - domain[0]) * inner;
  const moved = apart(labels.map((of) => pixel(of.value)), 13.5);
  labels.forEach((of, place) => { of.at = domain[1] - moved[place] / inner * (domain[1] - domain[0]); });
  const few = width < 360;
  const isBelow = last && pixel(last.value) < 30;
  const marks = [
    gridY({stroke: 'var(--grid)', strokeOpacity: 1, ticks}),
    ruleY([0], {stroke: 'var(--rule2)'}),
    line(inside, {x: 'month', y: 'value', z: 'year', stroke: 'var(--past)', strokeWidth: 1.3, clip: true}),
    line(before, {x: 'month', y: 'value', stroke: 'var(--prev)', strokeWidth: 1.6, clip: true}),
    areaY(now.filter((of) => of.low != null), {x: 'month', y1: 'low', y2: 'high', fill: 'var(--now-soft)', clip: true}),
    line(now, {x: 'month', y: 'value', stroke: 'var(--now)', strokeWidth: 2.6}),
    text(labels, {x: 12, y: 'at', text: (of) => `${of.year}`, dx: 8, textAnchor: 'start', fill: (of) => of.colour, fontWeight: (of) => of.weight, fontSize: 11.5}),
    text(outside.slice(0, 1), {x: 12, y: domain[0], dx: 8, textAnchor: 'start', fill: 'var(--ink3)', fontSize: 11.5,
      text: () => outside.map((one) => `${middle(one)[0] < domain[0] ? '↓' : '↑'} ${one}: ${num(earlier.filter((row) => row.year === one).at(-1).value, 0)}`).join('\n'), lineAnchor: 'bottom'}),
    last && dot([last], {x: 'month', y: 'value', r: 4.5, fill: 'var(--now)', stroke: 'var(--bg)', strokeWidth: 1.5}),
    last && text([last], {x: 'month', y: 'value', text: (of) => `${year}: ${signed(of.value, digits)}`, dy: isBelow ? 18 : -16,
      textAnchor: last.month > 9 ? 'end' : 'middle', dx: last.month > 9 ? 6 : 0, fill: 'var(--now)', fontWeight: 700, fontSize: 14, stroke: 'var(--halo)', strokeWidth: 4}),
  ];
  const chart = draw(label, {width, height, marginLeft: 34, marginRight: 70, marginTop: 10, marginBottom: 27,
    x: {domain: [2, 12], ticks: few ? [2, 4, 6, 8, 10, 12] : [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], tickFormat: (month) => (few || [2, 4, 6, 8, 10, 12].includes(month) ? monthTick(month) : ''), tickSize: 0, tickPadding: 9, label: null},
    y: {domain, ticks, label: null, tickSize: 0, tickPadding: 4, tickFormat: (value) => num(value, tickDigits)},
    marks: marks.filter(Boolean)});
  return withReadings(chart, shown, {digits, year});
}

/** Hovering, touching or the arrow keys read all years of one month. */
function withReadings(chart, rows, {digits, year}) {
  const frame = h('div.hover', {tabindex: 0, role: 'group', 'aria-label': L('左右键逐月读数', 'Arrow keys read month by month')}, chart);
  const tip = h('div.tip', {hidden: true, 'aria-live': 'polite'});
  frame.append(tip);
  const scale = chart.scale('x');
  let month = null;
  const show = (at) => {
    month = Math.min(12, Math.max(2, at));
    const own = rows.filter((of) => of.month === month).sort((a, b) => b.year - a.year).slice(0, 6);
    if (!own.length) return hide();
    const title = month === 2 ? L('1—2月', 'Jan–Feb') : isChinese() ? `${month}月` : MONTHS[month - 1];
    const row = (of) => h('tr', {}, h('td', {}, h('i.key' + (of.year === year ? '.now' : of.year === year - 1 ? '.prev' : ''), {}), `${of.year}`),
      h('td.n', {}, signed(of.value, digits)),
      of.low == null ? null : h('td.n.mut', {}, `${num(of.low, digits)} – ${num(of.high, digits)}`));
    tip.replaceChildren(h('b', {}, title), h('table', {}, h('tbody', {}, own.map(row))));
    tip.hidden = false;
    const x = scale.apply(month) * chart.clientWidth / chart.viewBox.baseVal.width;
    tip.style.left = `${Math.min(x + 10, frame.clientWidth - tip.offsetWidth)}px`;
    tip.style.top = '8px';
  };
  const hide = () => { tip.hidden = true; month = null; };
  frame.addEventListener('pointermove', (event) => {
    const box = chart.getBoundingClientRect();
    show(Math.round(scale.invert((event.clientX - box.left) * chart.viewBox.baseVal.width / box.width)));
  });
  frame.addEventListener('pointerleave', hide);
  frame.addEventListener('blur', hide);
  frame.addEventListener('keydown', (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (step) { event.preventDefault(); show((month ?? (step > 0 ? 1 : 13)) + step); }
    if (event.key === 'Escape') hide();
  });
  return frame;
}

/** The values behind the lines as a table, a row for each month. */
export function yearTable(data, digits = 1) {
  const years = [...new Set(data.map((of) => of.year))].sort((a, b) => b - a);
  const rows = Array.from({length: 11}, (_, place) => place + 2).map((month) => [monthTick(month), ...years.map((year) => {
    const found = data.find((of) => of.year === year && of.month === month);
    return found?.value == null ? null : signed(found.value, digits);
  })]);
  return {head: [L('月份', 'Month'), ...years.map(String)], rows};
}
