// Small charts in tiles and cells of tables, drawn without a library.
import {s} from '../core/dom.js';

const path = (points) => points.map(([x, y], place) => `${place ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

/** This year over last year: `[{month, value}]` each. */
export function tileSpark({now, before, width = 164, height = 46}) {
  const own = (rows) => rows.filter((of) => of.month >= 2 && of.value != null);
  const all = [...own(now), ...own(before)].flatMap((of) => [of.value, of.low, of.high].filter((value) => value != null));
  const frame = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', style: 'max-width:100%'});
  if (!all.length) return frame;
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
  const x = (month) => 2 + (month - 2) / 10 * (width - 8);
  const y = (value) => height - 4 - (value - low) / (high - low) * (height - 8);
  const line = (rows) => path(own(rows).map((of) => [x(of.month), y(of.value)]));
  const band = own(now).filter((of) => of.low != null);
  if (band.length > 1) {
    const edge = [...band.map((of) => [x(of.month), y(of.high)]), ...band.toReversed().map((of) => [x(of.month), y(of.low)])];
    frame.append(s('path', {d: path(edge) + 'Z', fill: 'var(--now-soft)'}));
  }
  if (low < 0 && high > 0) frame.append(s('line', {x1: 0, x2: width, y1: y(0), y2: y(0), stroke: 'var(--rule2)'}));
  frame.append(s('path', {d: line(before), fill: 'none', stroke: 'var(--prev)', 'stroke-width': 1.2}));
  frame.append(s('path', {d: line(now), fill: 'none', stroke: 'var(--now)', 'stroke-width': 2}));
  const last = own(now).at(-1);
  if (last) frame.append(s('circle', {cx: x(last.month), cy: y(last.value), r: 3.2, fill: 'var(--now)'}));
  return frame;
}

/** Values in a row over time: `[[place, value]]`, the zero line in the middle. */
export function rowSpark(points, {width = 120, height = 24, limit} = {}) {
  const known = points.filter(([, value]) => value != null);
  const frame = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', style: 'display:block'});
  if (known.length < 2) return frame;
  const most = limit ?? Math.max(...known.map(([, value]) => Math.abs(value)), 1e-9);
  const [from, to] = [points[0][0], points.at(-1)[0]];
  const x = (place) => 2 + (place - from) / Math.max(1, to - from) * (width - 6);
  const y = (value) => height / 2 - Math.max(-most, Math.min(most, value)) / most * (height / 2 - 2);
  let d = '';
  let before = null;
  for (const [place, value] of known) {
    d += `${before != null && place - before <= 2 ? 'L' : 'M'}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
    before = place;
  }
  const [place, value] = known.at(-1);
  frame.append(s('line', {x1: 0, x2: width, y1: height / 2, y2: height / 2, stroke: 'var(--rule2)'}),
    s('path', {d, fill: 'none', stroke: 'var(--prev)', 'stroke-width': 1.2}),
    s('circle', {cx: x(place), cy: y(value), r: 2.6, fill: 'var(--now)'}));
  return frame;
}

/** A bar from zero inside a cell; `zero` is the place of zero as a share of the width. */
export function cellBar(value, most, {width = 84, height = 14, colour, zero = 0.5} = {}) {
  const frame = s('svg', {width, height, style: 'display:inline-block;vertical-align:-2px', 'aria-hidden': 'true'});
  const at = width * zero;
  frame.append(s('line', {x1: at, x2: at, y1: 0, y2: height, stroke: 'var(--rule2)'}));
  if (value == null || !most) return frame;
  const room = value < 0 ? at : width - at;
  const length = Math.min(1, Math.abs(value) / most) * (room - 1);
  if (length > 0.4) {
    frame.append(s('rect', {x: value < 0 ? at - length : at, y: 3, width: length, height: height - 6,
      fill: colour ?? `var(--${value < 0 ? 'down' : 'up'})`}));
  }
  return frame;
}
