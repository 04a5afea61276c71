// Overview: the newest month of the nation, what moved, where growth is.
import {dot, gridX, link, ruleX, text} from '../vendor/plot.js';
import {domainOf, draw, nameWidth} from '../charts/base.js';
import {cityCentres, cityMap, mapNote} from '../charts/map.js';
import {tileSpark} from '../charts/sparks.js';
import {covered, yearLines, yearTable} from '../charts/years.js';
import {openAlerts} from '../core/alerts.js';
import {columnWidth, h, isNarrow} from '../core/dom.js';
import {effectMonths, effects, names, series, stamp, units, unitsSource} from '../core/data.js';
import {blank, figure} from '../core/figure.js';
import {arrow, count, dollars, num, percent, points, signClass, signed, whole} from '../core/format.js';
import {home} from '../core/home.js';
import {newsTable} from '../core/news.js';
import {go, href, state} from '../core/state.js';
import {L, spanName} from '../core/words.js';
import {empty, ofSpan, toLines} from './shared.js';

const LARGEST = 18;

const delta = (value, digits = 1, unit = '') => h('span.' + (Math.abs(value) < 0.5 * 10 ** -digits ? 'flat' : signClass(value)), {},
  value == null ? '–' : `${Math.abs(value) < 0.5 * 10 ** -digits ? '' : arrow(value) + ' '}${signed(value, digits)}${unit}`);

export default async function overview({spanSwitch}) {
  const none = empty();
  if (none) return none;
  const {year, month} = home;
  const span = state.w;
  const rows = await series('nation', 'all');
  const own = ofSpan(rows, span);
  const at = (of, y, m) => of.find((row) => row.year === y && row.month === m);
  const [now, ago] = [at(own, year, month), at(own, year - 1, month)];
  const before = at(own, month > 2 || span === '12m' && month > 1 ? year : year - 1, month > 2 ? month - 1 : month === 2 && span === '12m' ? 1 : 12);
  if (!now) return [blank(L('本月没有此窗口的数字。', 'There are no figures of this window for the month.'), '')];
  const live = await effects({level: 'nation', span: 'ytd', month: stamp(year, month), band: true});
  return [head({now, before, ago, live, span, spanSwitch}), ...tiles({own, now, before, ago, live}), h('div.grid', {},
    lines({own, year}), effectFigure({live, year}), map({year, month, span, now}), destinations({year, month, span}), newsTable(12), openAlerts(12))];
}

function head({now, before, ago, live, span, spanSwitch}) {
  const {year, month} = home;
  const [g, was] = [points(now.growth), before && points(before.growth)];
  const affiliate = points(now.affiliate_growth_weighted_by_exports);
  const earlier = ago && points(ago.affiliate_growth_weighted_by_exports);
  const effect = live.find((row) => row.year === year && row.month === month);
  const title = was == null ? L('持续出口企业平均增长 {0} 对数点', 'Continuing exporters grew {0} log points on average', num(g))
    : L('持续出口企业平均增长 {0} 对数点，比上月{2} {1}', 'Continuing exporters grew {0} log points on average, {1} {2} a month earlier',
      num(g), num(Math.abs(g - was)), g < was ? L('低', 'less than') : L('高', 'more than'));
  const line = affiliate == null ? null : earlier == null ? L('异地：同一企业其他工厂所在城市的出口企业增长 {0}。', 'Affiliate cities: exporters where the same firms have other plants grew {0}.', num(affiliate))
    : L('异地：同一企业其他工厂所在城市的出口企业增长 {0}，比上年同期{2} {1}。', 'Affiliate cities: exporters where the same firms have other plants grew {0}, {2} {1} on a year earlier.',
      num(affiliate), num(Math.abs(affiliate - earlier)), affiliate < earlier ? L('低', 'down') : L('高', 'up'));
  const [low, high] = effect ? band(effect) : [];
  return h('div.phead', {}, h('div.l', {},
    h('p.kicker', {}, L('概览 · 全国 · {0}，与上年同期比', 'Overview · national · {0} against the same months a year earlier', spanName(span, year, month))),
    h('h1', {}, title),
    h('ul.points', {}, line && h('li', {}, line),
      effect && h('li', {}, L('模型隐含贡献 {0} 对数点，95% 区间 {1} 至 {2}。', 'Model-implied contribution {0} log points, 95% band {1} to {2}.',
        num(points(effect.effect), 2), num(points(low), 2), num(points(high), 2))),
      h('li', {}, L('{0} 个市场（城市 × 目的地）中有 {1} 家持续出口企业；进入 {2}，退出 {3}。', '{1} continuing exporters in {0} markets (city × destination); {2} entered, {3} left.',
        whole(now.markets), whole(now.continuing), whole(now.entrants), whole(now.exits))))),
  h('div.r', {}, spanSwitch(), h('span.lk.hidem', {}, h('a', {href: href({as_of: home.vintage}, {cited: true})}, L('永久链接', 'Permalink')),
    h('a', {href: 'api/v1/series/nation/all', target: '_blank'}, 'API'))));
}

/** The band of an effect: with revisions where there is one, else of the coefficients. */
export const band = (row) => (row.band_low != null ? [row.band_low, row.band_high] : [row.conf_low, row.conf_high]);

function tiles({own, now, before, ago, live}) {
  const {year} = home;
  const spark = (rows) => tileSpark({now: rows.filter((of) => of.year === year), before: rows.filter((of) => of.year === year - 1),
    width: isNarrow() ? 108 : 164, height: isNarrow() ? 44 : 48});
  const of = (field, turn) => own.map((row) => ({year: row.year, month: row.month, value: turn(row[field])}));
  const onMonth = L('较上月', 'on last month');
  const onYear = L('较上年同期', 'on a year ago');
  const change = (field, turn, digits, unit) => [
    before && [onMonth, delta(turn(now[field]) - turn(before[field]), digits, unit)],
    ago && [onYear, delta(turn(now[field]) - turn(ago[field]), digits, unit)]];
  const tile = (label, small, [value, unit], range, picture, lines) => h('section.tile', {}, h('div.lb', {}, label, h('small', {}, small)),
    h('div.v', {}, value, unit && h('small', {}, unit)), h('div.rg', {}, range || ''), h('div.sp', {}, picture),
    h('dl', {}, lines.filter(Boolean).map(([name, shown]) => h('div', {}, h('dt', {}, name), h('dd', {}, shown)))));
  const growth = (label, small, field, density, error) => tile(label, small, [signed(points(now[field])), L('对数点', 'log pts')],
    error == null ? '' : `± ${num(1.96 * points(error))}`, spark(of(field, points)),
    [...change(field, points, 1), now[density] != null && [L('密度 D', 'density D'), num(now[density], 2)]]);
  const counts = (label, field, lines) => tile(label, L('工厂 × 目的地', 'plant × destination'), count(now[field]), '', spark(of(field, (value) => value)),
    [ago && [onYear, delta(100 * (now[field] / ago[field] - 1), 1, '%')], ...lines]);
  const rate = (part, whole_) => (whole_ ? `${num(100 * part / whole_)}%` : '–');
  const effect = live.filter((row) => row.year === year);
  const last = effect.at(-1);
  const contribution = last && tile(L('隐含贡献', 'Implied contribution'), L('异地增长 × 系数', 'growth × coefficients'), [signed(points(last.effect), 2), L('对数点', 'log pts')],
    `${num(points(band(last)[0]), 2)} – ${num(points(band(last)[1]), 2)}`,
    spark(live.map((row) => ({year: row.year, month: row.month, value: points(row.effect), low: points(band(row)[0]), high: points(band(row)[1])}))),
    [[L('覆盖出口', 'covers exports'), `${num(100 * last.coverage)}%`], last.identified != null && [L('可识别', 'identified'), `${num(100 * last.identified)}%`]]);
  return [h('div.tilehead', {}, h('h2', {}, L('主要指标', 'Headline indicators')),
    h('span.lg', {}, h('i'), `${year}`), h('span.lg', {}, h('i.p'), `${year - 1}`), h('span.hidem', {}, L('横轴 1–2月至12月', 'x axis Jan–Feb to Dec'))),
  h('div.tiles', {},
    growth(L('本地增长', 'Local growth'), L('同城出口企业', 'exporters in the same city'), 'growth', 'local_ln_density_weighted_by_exports', now.growth_se),
    growth(L('异地增长', 'Affiliate growth'), L('企业其他工厂所在城市', 'cities of other plants'), 'affiliate_growth_weighted_by_exports', 'affiliate_ln_density_weighted_by_exports'),
    contribution,
    tile(L('出口额增长', 'Value growth'), dollars(Number(now.export_value)), [signed(percent(now.value_growth)), '%'], '', spark(of('value_growth', percent)),
      change('value_growth', percent, 1)),
    counts(L('出口关系', 'Exporters'), 'exporters', [[L('持续出口', 'continuing'), whole(now.continuing)]]),
    counts(L('进入', 'Entrants'), 'entrants', [[L('进入率', 'entry rate'), rate(now.entrants, now.exporters)]]),
    counts(L('退出', 'Exits'), 'exits', [[L('退出率', 'exit rate'), rate(now.exits, now.exporters - now.entrants + now.exits)]]))];
}

function lines({own, year}) {
  const width = columnWidth(8);
  const panel = isNarrow() ? width : (width - 24) / 2;
  const local = toLines(own, 'growth');
  const affiliate = toLines(own, 'affiliate_growth_weighted_by_exports');
  const shared = [...covered(local, year), ...covered(affiliate, year)];
  const chart = (data, label) => yearLines({data, year, width: panel, height: isNarrow() ? 230 : 330, shared, label});
  return figure({columns: 8, title: L('本地与异地出口企业的增长', 'Growth of exporters, local and in affiliate cities'),
    sub: L('持续出口企业对数增长均值，对数点。灰线为以往各年', 'Mean log growth of continuing exporters, log points. Grey: earlier years'),
    definition: L('(L4)、(13)', '(L4), (13)'), source: {path: 'series/nation/all', parameters: {span: state.w}},
    load: () => ({table: yearTable(local), body: h('div.two', {},
      h('div', {}, h('p.ptitle', {}, L('本地', 'Local'), h('span', {}, L('　按企业平均', '  mean over exporters'))), chart(local, L('本地增长', 'Local growth'))),
      h('div', {}, h('p.ptitle', {}, L('异地', 'Affiliate cities'), h('span', {}, L('　按工厂出口额加权', "  weighted by plants' exports"))), chart(affiliate, L('异地增长', 'Affiliate growth'))))})});
}

/** The live effect over the months, with its bands. */
export function effectFigure({live, year, columns = 4, level = 'nation', key = 'all'}) {
  return figure({columns, title: L('模型隐含贡献', 'Model-implied contribution'),
    sub: L('异地增长，对数点；色带：系数误差，95%', 'Of affiliate growth, log points; band: error of the coefficients, 95%'),
    definition: L('列 3.4', 'column 3.4'), source: {path: 'effects', parameters: {level, key: level === 'nation' ? null : key, span: 'ytd'}},
    load: async () => {
      if (!live.length) {
        return {body: blank(L('没有可用的估计。', 'There is no estimate to use.'), live.why?.message ?? L('隐含贡献需要上一年的系数与协方差。', "The contribution needs last year's coefficients and covariance."), 'spillover estimate --table 3.4')};
      }
      const all = await effectMonths(level, key);
      const data = all.map((row) => ({year: row.year, month: row.month, value: points(row.effect), low: points(row.conf_low), high: points(row.conf_high)}));
      return {table: yearTable(data, 2), claim: claim(live.at(-1)),
        body: yearLines({data, year, width: columnWidth(columns), height: isNarrow() ? 240 : 298, digits: 2, label: L('隐含贡献', 'Implied contribution')})};
    }});
}

export const claim = (row) => L('模型隐含贡献（第15式的简约关联，系数至{0}年）；不是预测，也不是因果总量；覆盖出口的 {1}%，可识别 {2}%。',
  'Model-implied contribution (reduced-form association of equation 15, coefficients through {0}); not a forecast, not a causal total; covers {1}% of exports, identified share {2}%.',
  row.through, num(100 * row.coverage), row.identified == null ? '–' : num(100 * row.identified));

function destinations({year, month, span}) {
  return figure({columns: 5, title: L('主要目的地的本地增长', 'Local growth to the main destinations'),
    sub: L('出口额前 {0} 位，{1}，对数点；线：95% 区间；空心：上年同期', 'The {0} largest by value, {1}, log points; line: 95% interval, hollow: a year earlier', LARGEST, spanName(span, year, month)),
    definition: '(L4)', source: unitsSource('country', year, month, span),
    load: async () => {
      const [now, ago, of] = await Promise.all([units('country', year, month, span), units('country', year - 1, month, span), names()]);
      const rows = now.filter((row) => row.growth != null).sort((a, b) => Number(b.export_value) - Number(a.export_value)).slice(0, LARGEST)
        .map((row) => ({key: row.key, name: of.country(row.key), value: points(row.growth), error: row.growth_se == null ? 0 : 1.96 * points(row.growth_se),
          ago: points(ago.find((one) => one.key === row.key)?.growth)})).sort((a, b) => b.value - a.value);
      if (!rows.length) return {body: blank(L('没有增长。', 'There is no growth.'), '')};
      return {body: dotPlot(rows, columnWidth(5)), note: h('a', {href: href({p: 'destinations', key: null})}, L('全部目的地', 'All destinations')),
        table: {head: [L('目的地', 'Destination'), L('本地增长', 'Local growth'), '±', L('上年同期', 'Year ago')],
          rows: rows.map((row) => [row.name, signed(row.value), num(row.error), signed(row.ago)])}};
    }});
}

/** Dots with intervals and last year's value, a row for each name. */
export function dotPlot(rows, width, rowHeight = 27) {
  const left = nameWidth(rows.map((row) => row.name)) + 12;
  const {domain, ticks, digits} = domainOf(rows.flatMap((row) => [row.value, row.ago]), {count: 5});
  const clipped = (value) => Math.max(domain[0], Math.min(domain[1], value));
  const colour = (row) => (row.value < 0 ? 'var(--down)' : 'var(--up)');
  const chart = draw(L('增长与区间', 'Growth with intervals'), {width, height: rows.length * rowHeight + 30, marginLeft: left, marginRight: 56, marginTop: 22, marginBottom: 6,
    x: {domain, axis: 'top', ticks, tickSize: 0, label: null, tickFormat: (value) => num(value, digits), tickPadding: 4},
    y: {domain: rows.map((row) => row.key), axis: null, type: 'point', padding: 0.5},
    marks: [gridX({stroke: 'var(--grid)', strokeOpacity: 1, ticks}), ruleX([0], {stroke: 'var(--rule2)'}),
      link(rows.filter((row) => row.ago != null), {x1: 'ago', x2: 'value', y: 'key', stroke: 'var(--past)', strokeWidth: 1}),
      dot(rows.filter((row) => row.ago != null), {x: 'ago', y: 'key', r: 3.2, stroke: 'var(--prev)', fill: 'var(--bg)', strokeWidth: 1.2}),
      link(rows, {x1: (row) => clipped(row.value - row.error), x2: (row) => clipped(row.value + row.error), y: 'key', stroke: colour, strokeWidth: 2}),
      dot(rows, {x: 'value', y: 'key', r: 4.6, fill: colour}),
      text(rows, {x: domain[0], y: 'key', text: 'name', dx: -8, textAnchor: 'end', fill: 'var(--ink)', fontSize: 13}),
      text(rows, {x: domain[1], y: 'key', text: (row) => signed(row.value), dx: 52, textAnchor: 'end', fill: colour, fontSize: 13, fontWeight: 600})]});
  return chart;
}

function map({year, month, span, now}) {
  const mean = points(now.growth);
  return figure({columns: 7, title: L('各城市本地增长，与全国均值之差', 'Local growth by city, difference from the national mean'),
    sub: L('{0}，对数点；面积为持续出口企业数', '{0}, log points; area: continuing exporters', spanName(span, year, month)), definition: '(L4)',
    source: unitsSource('city', year, month, span),
    load: async () => {
      const [rows, centres, of] = await Promise.all([units('city', year, month, span), cityCentres(), names()]);
      const place = new Map(centres.map((one) => [one.city, one]));
      const cities = rows.filter((row) => row.growth != null && row.continuing >= 10 && place.has(row.key))
        .map((row) => ({key: row.key, name: of.city(row.key), lon: place.get(row.key).lon, lat: place.get(row.key).lat, size: row.continuing, value: points(row.growth) - mean}));
      if (!cities.length) return {body: blank(L('没有可标的城市。', 'There is no city to show.'), L('少于 10 家持续出口企业的城市不显示。', 'Cities with fewer than 10 continuing exporters are not shown.'))};
      const spread = Math.sqrt(cities.reduce((sum, one) => sum + one.value ** 2, 0) / cities.length);
      const step = [1, 2, 4, 8, 16, 32].find((one) => one >= spread / 1.5) ?? 64;
      const ordered = cities.toSorted((a, b) => b.value - a.value);
      return {body: cityMap({cities, all: centres, width: columnWidth(7), height: isNarrow() ? 400 : 540, step, onpick: (key) => go({p: 'cities', key})}), note: mapNote(),
        table: {head: [L('城市', 'City'), L('与均值之差', 'Difference'), L('持续出口企业', 'Continuing')], rows: ordered.map((one) => [one.name, signed(one.value), whole(one.size)])}};
    }});
}
