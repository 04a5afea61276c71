// Cities as dots at their centres. No boundaries are drawn.
import {forceCollide, forceSimulation, forceX, forceY, geoConicEqualArea} from '../vendor/plot.js';
import {h, isNarrow, s} from '../core/dom.js';
import {signed, whole} from '../core/format.js';
import {L} from '../core/words.js';
import {divergent, textWidth} from './base.js';

let centres = null;

/** The centres of cities: code to longitude, latitude and names. */
export function cityCentres() {
  centres ??= fetch('centres.json').then((answer) => answer.json());
  return centres;
}

export function projection(width, height, points, [left, top, right, bottom]) {
  const conic = geoConicEqualArea().parallels([25, 47]).rotate([-105, 0]);
  const coordinates = points.map((of) => [of.lon, of.lat]);
  return conic.fitExtent([[left, top], [width - right, height - bottom]], {type: 'MultiPoint', coordinates});
}

/** Moves dots apart that would cover each other. */
export function nudged(dots, gap = 0.8) {
  const nodes = dots.map((dot) => ({x: dot.x, y: dot.y, home: dot}));
  const simulation = forceSimulation(nodes)
    .force('x', forceX((of) => of.home.x).strength(0.25))
    .force('y', forceY((of) => of.home.y).strength(0.25))
    .force('apart', forceCollide((of) => of.home.r + gap).iterations(3))
    .stop();
  for (let step = 0; step < 200; step++) simulation.tick();
  return dots.map((dot, place) => ({...dot, x: nodes[place].x, y: nodes[place].y}));
}

/** Places for labels that neither cover each other nor many dots. */
export function placed(labels, dots, width, height, size = 13) {
  const taken = [];
  const meet = (a, b) => a.x0 < b.x1 && a.x1 > b.x0 && a.y0 < b.y1 && a.y1 > b.y0;
  const result = [];
  for (const label of labels) {
    const [wide, high, r] = [textWidth(label.text, size) + 2, size + 3, label.r + 2];
    const corners = [[r, -high / 2], [-r - wide, -high / 2], [-wide / 2, -r - high], [-wide / 2, r],
      [r * 0.75, -high - r * 0.4], [r * 0.75, r * 0.4], [-wide - r * 0.75, r * 0.4], [-wide - r * 0.75, -high - r * 0.4]];
    let best = null;
    for (const [dx, dy] of corners) {
      const box = {x0: label.x + dx, y0: label.y + dy, x1: label.x + dx + wide, y1: label.y + dy + high};
      if (box.x0 < 0 || box.x1 > width || box.y0 < 0 || box.y1 > height) continue;
      if (taken.some((other) => meet(box, other))) continue;
      const covers = dots.filter((dot) => dot.key !== label.key && dot.r > 3 &&
        meet(box, {x0: dot.x - dot.r, x1: dot.x + dot.r, y0: dot.y - dot.r, y1: dot.y + dot.r})).length;
      if (best == null || covers < best.covers) best = {box, covers};
      if (best.covers === 0) break;
    }
    if (best && (best.covers <= 1 || label.isNeeded)) {
      taken.push(best.box);
      result.push({...label, box: best.box});
    }
  }
  return result;
}

export const labelText = ({text, box, isNeeded}, size = 13) => s('text', {
  x: box.x0 + 1, y: box.y1 - 4, 'font-size': size, fill: 'var(--ink)', stroke: 'var(--halo)', 'font-weight': isNeeded ? 700 : 400,
  'stroke-width': 3, 'paint-order': 'stroke', 'stroke-linejoin': 'round',
}, text);

export const faintDots = (centres, project, shown) => s('g', {fill: 'var(--sea)', opacity: 0.9},
  centres.filter((of) => !shown.has(of.city)).map((of) => {
    const [x, y] = project([of.lon, of.lat]);
    return s('circle', {cx: x.toFixed(1), cy: y.toFixed(1), r: 1.7});
  }));

/** `cities`: `{key, name, lon, lat, size, value}`, coloured by `value` in classes of `step`. */
export function cityMap({cities, all, width, height, step, onpick}) {
  const project = projection(width, height, all, isNarrow() ? [6, 8, 14, 64] : [20, 8, 34, 60]);
  const largest = Math.max(...cities.map((of) => of.size), 1);
  const scale = (isNarrow() ? 12 : 19) / Math.sqrt(largest);
  const dots = nudged(cities.map((of) => {
    const [x, y] = project([of.lon, of.lat]);
    return {...of, x, y, r: Math.max(2.2, Math.sqrt(of.size) * scale)};
  }).sort((a, b) => b.r - a.r));
  const wanted = new Set([...dots.slice(0, isNarrow() ? 8 : 14),
    ...dots.filter((of) => of.size >= largest / 30).toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 6)]);
  const labels = placed([...wanted].map((of) => ({...of, text: of.name})), dots, width, height - 40);
  const circle = (of) => s('circle', {cx: of.x.toFixed(1), cy: of.y.toFixed(1), r: of.r.toFixed(1), fill: divergent(of.value, step),
    stroke: 'var(--ink2)', 'stroke-width': 0.7, style: 'cursor:pointer', onclick: () => onpick(of.key)},
  s('title', {}, `${of.name} ${signed(of.value, 1)}, ${whole(of.size)}`));
  return s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'data-chart': '', 'aria-label': L('城市圆点图', 'Dot map of cities')},
    faintDots(all, project, new Set(cities.map((of) => of.key))), dots.map(circle), labels.map((of) => labelText(of)),
    legend(height, step));
}

function legend(height, step) {
  const classes = ['n4', 'n3', 'n2', 'n1', 'zero', 'p1', 'p2', 'p3', 'p4'];
  const edges = [-2, -1, -0.5, -0.12, 0.12, 0.5, 1, 2].map((of) => of * step);
  const wide = 34;
  return s('g', {transform: `translate(4,${height - 46})`, 'font-size': 12, fill: 'var(--ink2)'},
    s('text', {x: 0, y: 0}, L('低于均值', 'below mean')), s('text', {x: wide * 9, y: 0, 'text-anchor': 'end'}, L('高于', 'above')),
    classes.map((name, place) => s('rect', {x: place * wide, y: 6, width: wide - 1, height: 10, fill: `var(--${name})`})),
    edges.map((edge, place) => s('text', {x: (place + 1) * wide, y: 30, 'text-anchor': 'middle'}, signed(edge, Math.abs(edge) < 2 ? 1 : 0))));
}

export const mapNote = () => h('span', {}, L('不绘境界；淡点为其余城市中心。', 'No boundaries drawn; faint dots: centres of other cities.'));
