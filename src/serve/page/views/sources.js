// Who accounts for whom: the sources of a city's contribution, and the matrix of all cities.
import {cityCentres, faintDots, labelText, mapNote, placed, projection} from '../charts/map.js';
import {nameWidth} from '../charts/base.js';
import {columnWidth, h, isNarrow, s} from '../core/dom.js';
import {effects, names, stamp} from '../core/data.js';
import {atVintage, rowsOf} from '../core/api.js';
import {blank, figure} from '../core/figure.js';
import {num, points, signed} from '../core/format.js';
import {home} from '../core/home.js';
import {go, href, state} from '../core/state.js';
import {sortable} from '../core/tables.js';
import {L, spanName} from '../core/words.js';
import {claim} from './overview.js';
import {empty} from './shared.js';

const SHOWN = 22;

const source = (key) => ({path: 'sources', parameters: {level: 'city', key, month: stamp(home.year, home.month), span: 'ytd'}});

/** The sources of one city, or of all; an empty list with the reason where an estimate is missing. */
async function sources(key) {
  try {
    const {path, parameters} = source(key);
    return (await rowsOf(path, atVintage({...parameters, limit: 10000}), 200000)).rows.map((row) => ({...row, value: points(row.contribution)}));
  } catch (error) {
    if (error.status === 0) throw error;
    return Object.assign([], {why: error});
  }
}

const missing = (rows) => blank(L('没有可用的估计。', 'There is no estimate to use.'), rows.why?.message ?? L('隐含贡献需要上一年的系数与协方差。', "The contribution needs last year's coefficients and covariance."), 'spillover estimate --table 3.4');

/** The sources of a city as lines on a map. */
export function sourcesFigure(key, columns) {
  return figure({columns, title: L('贡献来自哪些城市', 'Which cities the contribution comes from'), sub: L('线宽为占隐含贡献的对数点；虚线为负', 'Line width: log points of the contribution; dashed: negative'),
    definition: L('列 3.4', 'column 3.4'), source: source(key),
    load: async () => {
      const [rows, centres, of] = await Promise.all([sources(key), cityCentres(), names()]);
      if (!rows.length) return {body: missing(rows)};
      const ordered = rows.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
      return {body: arcs(key, ordered, centres, of, columnWidth(columns)), note: [mapNote(), ' ', h('a', {href: href({p: 'sources', key})}, L('看全部来源', 'All sources'))],
        table: {head: [L('来源', 'Source'), L('占贡献', 'Accounts for'), L('信息份额', 'Information')], rows: ordered.map((row) => [of.city(row.source_city), signed(row.value, 3), `${num(100 * row.information)}%`])}};
    }});
}

function arcs(key, rows, centres, of, width) {
  const height = isNarrow() ? 340 : 520;
  const place = new Map(centres.map((one) => [one.city, one]));
  const own = place.get(key);
  if (!own) return blank(L('没有该城市的位置。', 'The place of this city is not known.'), '');
  const project = projection(width, height, centres, isNarrow() ? [6, 8, 14, 64] : [60, 8, 40, 14]);
  const [x0, y0] = project([own.lon, own.lat]);
  const most = Math.abs(rows[0].value) || 1;
  const dots = rows.filter((row) => place.has(row.source_city) && row.source_city !== key).map((row) => {
    const [x, y] = project([place.get(row.source_city).lon, place.get(row.source_city).lat]);
    return {key: row.source_city, x, y, value: row.value, text: of.city(row.source_city), r: Math.max(2.4, 2 + 5 * Math.abs(row.value) / most)};
  });
  const arc = (dot) => {
    const [dx, dy] = [dot.x - x0, dot.y - y0];
    return `M${dot.x.toFixed(1)} ${dot.y.toFixed(1)}Q${((dot.x + x0) / 2 - dy * 0.16).toFixed(1)} ${((dot.y + y0) / 2 + dx * 0.16).toFixed(1)} ${x0.toFixed(1)} ${y0.toFixed(1)}`;
  };
  const colour = (dot) => `var(--${dot.value < 0 ? 'down' : 'up'})`;
  const lines = dots.toReversed().map((dot) => s('path', {d: arc(dot), stroke: colour(dot), 'stroke-width': Math.max(0.7, 12 * Math.abs(dot.value) / most).toFixed(2),
    'stroke-opacity': 0.75, 'stroke-dasharray': dot.value < 0 ? '5 3' : null}));
  const labels = placed([{key, x: x0, y: y0, r: 7, text: of.city(key), isNeeded: true}, ...dots.slice(0, isNarrow() ? 6 : 12)], dots, width, height);
  return s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'data-chart': '', 'aria-label': L('{0}的异地来源', 'Affiliate sources of {0}', of.city(key))},
    faintDots(centres, project, new Set([key, ...dots.map((dot) => dot.key)])), s('g', {fill: 'none'}, lines),
    dots.map((dot) => s('circle', {cx: dot.x, cy: dot.y, r: dot.r, fill: colour(dot), stroke: 'var(--bg)', 'stroke-width': 0.8}, s('title', {}, `${dot.text} ${signed(dot.value, 3)}`))),
    s('circle', {cx: x0, cy: y0, r: 7, fill: 'var(--bg)', stroke: 'var(--ink)', 'stroke-width': 2.4}), s('circle', {cx: x0, cy: y0, r: 2.6, fill: 'var(--ink)'}),
    labels.map((label) => labelText(label)));
}

export default async function view() {
  const none = empty();
  if (none) return none;
  const {year, month} = home;
  const [rows, of, live] = await Promise.all([sources(null), names(), effects({level: 'city', span: 'ytd', month: stamp(year, month)})]);
  const kicker = h('p.kicker', {}, L('信息来源 · {0} · 列 3.4', 'Sources · {0} · column 3.4', spanName('ytd', year, month)));
  if (!rows.length) return [h('div.phead', {}, h('div.l', {}, kicker, h('h1', {}, L('谁占谁的贡献', 'Who accounts for whom')))), missing(rows)];
  const weight = new Map(live.map((row) => [row.key, Number(row.export_value)]));
  const total = [...weight.values()].reduce((sum, value) => sum + value, 0) || 1;
  const national = new Map();
  for (const row of rows) {
    const share = (weight.get(row.key) ?? 0) / total;
    const sum = national.get(row.source_city) ?? {key: row.source_city, value: 0, information: 0};
    sum.value += row.value * share;
    sum.information += row.information * share;
    national.set(row.source_city, sum);
  }
  const all = [...national.values()].sort((a, b) => b.value - a.value);
  const sum = all.reduce((value, one) => value + one.value, 0);
  const receivers = [...weight].sort((a, b) => b[1] - a[1]).map(([key]) => key).filter((key) => rows.some((row) => row.key === key));
  const selected = receivers.includes(state.key) ? state.key : receivers[0];
  const top = all[0];
  return [h('div.phead', {}, h('div.l', {}, kicker,
    h('h1', {}, L('谁占谁的贡献：{0}的出口企业占全国隐含贡献的 {1}%', 'Who accounts for whom: exporters in {0} account for {1}% of the national contribution', of.city(top.key), num(100 * top.value / sum, 0))),
    h('ul.points', {}, h('li', {}, L('行是来源城市，列是接收城市。一列的方块加总为该城的隐含贡献。', "Rows are source cities, columns receiving cities. The squares of a column add up to the city's contribution.")),
      h('li', {}, L('“占”是核算：来源城市持续出口企业的增长在公式（13）中所占的部分，不表示信息确已传递。', '"Accounts for" is accounting: the part of the source city\'s exporters in equation (13). It does not say that information was passed.'))))),
  h('div.grid', {}, matrixFigure({rows, of, all, receivers, selected, live}), receiver({rows, of, selected}), nationwide({all, sum, of}))];
}

function matrixFigure({rows, of, all, receivers, selected, live}) {
  const columns = receivers.slice(0, isNarrow() ? 10 : SHOWN);
  const lines = all.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, SHOWN).map((one) => one.key);
  return figure({columns: 8, title: L('来源城市 × 接收城市', 'Source city × receiving city'), sub: L('方块面积为占接收城市隐含贡献的对数点；空心为负；点列名换城市', "Square area: log points of the receiving city's contribution; hollow: negative; select a column to change the city"),
    definition: L('列 3.4', 'column 3.4'), source: source(null),
    load: () => ({claim: live.length ? claim(live[0]) : null, body: matrix({rows, of, columns, lines, selected}),
      table: {head: [L('来源', 'Source'), ...columns.map(of.city)], rows: lines.map((line) => [of.city(line), ...columns.map((column) => {
        const found = rows.find((row) => row.key === column && row.source_city === line);
        return found ? signed(found.value, 3) : null;
      })])}})});
}

function matrix({rows, of, columns, lines, selected}) {
  const left = nameWidth(lines.map(of.city)) + 10;
  const cell = Math.max(13, Math.min(28, (columnWidth(8) - left) / columns.length));
  const top = nameWidth(columns.map(of.city)) + 14;
  const [width, height] = [left + columns.length * cell + 8, top + lines.length * cell + 8];
  const value = new Map(rows.map((row) => [`${row.source_city} ${row.key}`, row.value]));
  const most = Math.max(...columns.flatMap((column) => lines.map((line) => Math.abs(value.get(`${line} ${column}`) ?? 0))), 1e-9);
  const side = (of_) => Math.sqrt(Math.abs(of_) / most) * (cell - 3);
  const middle = (place, from) => from + (place + 0.5) * cell;
  const frame = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, 'data-chart': '', role: 'img', 'aria-label': L('来源乘接收城市矩阵', 'Matrix of source and receiving cities')});
  lines.forEach((line, row) => frame.append(s('line', {x1: left, x2: width - 8, y1: middle(row, top), y2: middle(row, top), stroke: 'var(--grid)'}),
    s('text', {x: left - 8, y: middle(row, top) + 4.5, 'text-anchor': 'end', 'font-size': 13, fill: 'var(--ink)'}, of.city(line))));
  columns.forEach((column, at) => {
    const isOwn = column === selected;
    const x = middle(at, left);
    frame.append(s('line', {y1: top, y2: height - 8, x1: x, x2: x, stroke: 'var(--grid)'}),
      s('text', {transform: `translate(${x + 4},${top - 8}) rotate(-90)`, 'font-size': 13, fill: 'var(--ink)', 'font-weight': isOwn ? 700 : 400, style: 'cursor:pointer', onclick: () => go({key: column}, {keep: true})}, of.city(column)));
    if (isOwn) frame.append(s('rect', {x: x - cell / 2, y: top - 4, width: cell, height: lines.length * cell + 8, fill: 'none', stroke: 'var(--ink)', 'stroke-width': 1.5, rx: 2}));
    lines.forEach((line, row) => {
      const y = middle(row, top);
      if (line === column) return frame.append(s('path', {d: `M${x - 5} ${y + 5}l10 -10`, stroke: 'var(--rule2)'}));
      const own = value.get(`${line} ${column}`) ?? 0;
      const a = side(own);
      if (a < 1.2) return;
      const box = {x: x - a / 2, y: y - a / 2, width: a, height: a};
      const look = own > 0 ? {fill: 'var(--up)'} : {fill: 'var(--bg)', stroke: 'var(--down)', 'stroke-width': 1.6};
      frame.append(s('rect', {...box, ...look}, s('title', {}, `${of.city(line)} → ${of.city(column)} ${signed(own, 3)}`)));
    });
  });
  return h('div.scroll', {tabindex: 0}, frame);
}

function receiver({rows, of, selected}) {
  const own = rows.filter((row) => row.key === selected);
  return figure({columns: 4, title: L('{0}：来源', '{0}: sources', of.city(selected)), sub: L('占隐含贡献的对数点；信息：其持续出口企业占全部来源之比', 'Log points of the contribution; information: its continuing exporters in all sources'),
    definition: L('列 3.4', 'column 3.4'), source: source(selected),
    load: () => ({body: sortable({rows: own, by: '-value', label: of.city(selected), columns: [
      {name: 'name', label: L('来源', 'Source'), isText: true, value: (row) => of.city(row.source_city), cell: (row) => h('a', {href: href({p: 'cities', key: row.source_city, sort: null})}, of.city(row.source_city))},
      {name: 'value', label: L('占贡献', 'Accounts for'), value: (row) => row.value, cell: (row) => signed(row.value, 3)},
      {name: 'information', label: L('信息', 'Inform.'), value: (row) => row.information, cell: (row) => `${num(100 * row.information)}%`},
      {name: 'leave_out', label: L('剔除后', 'Left out'), value: (row) => row.leave_out, cell: (row) => signed(points(row.leave_out), 3)}]}),
    note: h('a', {href: href({p: 'cities', key: selected})}, L('到{0}页', 'Go to {0}', of.city(selected))),
    table: {head: [L('来源', 'Source'), L('占贡献', 'Accounts for'), L('信息份额', 'Information')], rows: own.map((row) => [of.city(row.source_city), signed(row.value, 3), `${num(100 * row.information)}%`])}})});
}

function nationwide({all, sum, of}) {
  return figure({columns: 12, title: L('各来源占全国', 'Sources in the nation'), sub: L('占全国隐含贡献与占全部信息之比；接收城市按出口额加权', 'Share of the national contribution and of all information; receiving cities weighted by exports'),
    definition: L('列 3.4', 'column 3.4'), source: source(null),
    load: () => ({body: sortable({rows: all, by: '-value', label: L('来源', 'Sources'), columns: [
      {name: 'name', label: L('来源城市', 'Source city'), isText: true, value: (row) => of.city(row.key), cell: (row) => h('a', {href: href({p: 'cities', key: row.key, sort: null})}, of.city(row.key))},
      {name: 'value', label: L('对数点', 'Log points'), value: (row) => row.value, cell: (row) => signed(row.value, 3)},
      {name: 'share', label: L('占全国贡献', 'Share'), value: (row) => row.value, cell: (row) => `${num(100 * row.value / sum)}%`},
      {name: 'information', label: L('信息份额', 'Information'), value: (row) => row.information, cell: (row) => `${num(100 * row.information)}%`}]}),
    table: {head: [L('来源城市', 'Source city'), L('对数点', 'Log points'), L('占全国贡献', 'Share')], rows: all.map((row) => [of.city(row.key), signed(row.value, 3), `${num(100 * row.value / sum)}%`])}})});
}

