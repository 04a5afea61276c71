// Destinations and cities: the list of units, and one unit.
import {dot, gridY, line, rectY, ruleY, text} from '../vendor/plot.js';
import {domainOf, draw} from '../charts/base.js';
import {cellBar, rowSpark} from '../charts/sparks.js';
import {yearLines, yearTable} from '../charts/years.js';
import {columnWidth, h} from '../core/dom.js';
import {PAGE, effects, names, series, stamp, units, unitsSource} from '../core/data.js';
import {atVintage, rowsOf} from '../core/api.js';
import {blank, figure} from '../core/figure.js';
import {dollars, num, points, percent, signClass, signed, whole} from '../core/format.js';
import {home} from '../core/home.js';
import {newsTable} from '../core/news.js';
import {href, state} from '../core/state.js';
import {sortable} from '../core/tables.js';
import {L, spanName} from '../core/words.js';
import {band, effectFigure} from './overview.js';
import {empty, ofSpan, toLines} from './shared.js';
import {sourcesFigure} from './sources.js';

/** What differs between the two kinds of unit. */
export const KINDS = {
  country: {page: 'destinations', label: () => L('目的地', 'Destination'), many: () => L('目的地', 'Destinations'),
    other: 'city', otherLabel: () => L('城市', 'City'), markets: () => L('出口到此的城市', 'Cities that export there')},
  city: {page: 'cities', label: () => L('城市', 'City'), many: () => L('城市', 'Cities'),
    other: 'country', otherLabel: () => L('目的地', 'Destination'), markets: () => L('出口的目的地', 'Destinations of its exports')},
};

const growthCell = (value, error, most) => [cellBar(value, most, {width: 84, zero: 0.3}),
  h('span.strong', {style: 'display:inline-block;min-width:54px'}, signed(value)),
  h('span.mut.small', {style: 'display:inline-block;min-width:46px'}, error == null ? '' : `±${num(1.96 * error)}`)];

/** The list of all units of a level in the newest month. */
export async function list(level, {spanSwitch}) {
  const none = empty();
  if (none) return none;
  const kind = KINDS[level];
  const {year, month} = home;
  const span = state.w;
  const [now, ago, all, of, live] = await Promise.all([units(level, year, month, span), units(level, year - 1, month, span),
    rowsOf(`series/${level}/*`, atVintage({span: 'month', from: stamp(year - 2, 1), limit: PAGE}), 60000), names(),
    effects({level, span, month: stamp(year, month)})]);
  const before = new Map(ago.map((row) => [row.key, row]));
  const effect = new Map(live.map((row) => [row.key, row]));
  const history = new Map();
  for (const row of all.rows) {
    if (!history.has(row.key)) history.set(row.key, []);
    history.get(row.key).push([row.year * 12 + row.month, points(row.growth)]);
  }
  const rows = now.map((row) => ({...row, name: of[level](row.key), value: Number(row.export_value), growth: points(row.growth), error: points(row.growth_se),
    ago: points(before.get(row.key)?.growth), effect: points(effect.get(row.key)?.effect), history: history.get(row.key) ?? []}));
  const total = rows.reduce((sum, row) => sum + row.value, 0);
  const known = rows.map((row) => Math.abs(row.growth ?? 0)).sort((a, b) => a - b);
  const most = known[Math.floor(known.length * 0.95)] || 1;
  const columns = [
    {name: 'name', label: kind.label(), isText: true, value: (row) => row.name, cell: (row) => [h('a', {href: href({key: row.key, sort: null})}, row.name), h('span.code', {}, row.key)]},
    {name: 'export_value', label: L('出口额', 'Exports'), value: (row) => row.value, cell: (row) => dollars(row.value)},
    {name: 'share', label: L('占比', 'Share'), isWide: true, value: (row) => row.value, cell: (row) => `${num(100 * row.value / total)}%`},
    {name: 'continuing', label: L('持续出口', 'Continuing'), isWide: true, value: (row) => row.continuing, cell: (row) => whole(row.continuing)},
    {name: 'entrants', label: L('进入', 'Entrants'), isWide: true, value: (row) => row.entrants, cell: (row) => whole(row.entrants)},
    {name: 'exits', label: L('退出', 'Exits'), isWide: true, value: (row) => row.exits, cell: (row) => whole(row.exits)},
    {name: 'growth', label: L('本地增长', 'Local growth'), value: (row) => row.growth, cell: (row) => growthCell(row.growth, row.error, most)},
    {name: 'ago', label: L('上年同期', 'Year ago'), isWide: true, value: (row) => row.ago, cell: (row) => signed(row.ago)},
    {name: 'spark', label: L('三年各月', 'Three years'), isWide: true, value: null, cell: (row) => rowSpark(row.history, {limit: 2 * most})},
    {name: 'value_growth', label: L('出口额增长', 'Value growth'), isWide: true, value: (row) => row.value_growth, cell: (row) => `${signed(percent(row.value_growth))}%`},
    {name: 'effect', label: L('隐含贡献', 'Contribution'), value: (row) => row.effect, cell: (row) => signed(row.effect, 2)},
  ];
  const rising = rows.filter((row) => row.growth > 0 && row.continuing >= 10).length;
  const judged = rows.filter((row) => row.growth != null && row.continuing >= 10).length;
  return [h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, `${kind.many()} · ${spanName(span, year, month)}`),
    h('h1', {}, L('{0} 个{2}中 {1} 个增长为正', '{1} of {0} {2} have positive growth', judged, rising, kind.many().toLowerCase())),
    h('ul.points', {}, h('li', {}, L('持续出口企业 10 家以上者计入；点列名排序。', 'Counted with at least 10 continuing exporters; select a heading to sort.')))),
  h('div.r', {}, spanSwitch())),
  h('div.grid', {}, figure({columns: 12, title: L('全部{0}', 'All {0}', kind.many().toLowerCase()), sub: L('{0}；增长为对数点，± 为 95%；小图为近三年各单月增长', '{0}; growth in log points, ± is 95%; small charts: growth of single months over three years', spanName(span, year, month)),
    definition: '(L4)', source: unitsSource(level, year, month, span),
    load: () => ({body: sortable({rows, columns, by: '-export_value', label: kind.many()}),
      table: {head: [kind.label(), L('代码', 'Code'), L('出口额（美元）', 'Exports (USD)'), L('持续出口', 'Continuing'), L('进入', 'Entrants'), L('退出', 'Exits'), L('本地增长', 'Local growth'), L('上年同期', 'Year ago')],
        rows: rows.map((row) => [row.name, row.key, whole(row.value), whole(row.continuing), whole(row.entrants), whole(row.exits), signed(row.growth), signed(row.ago)])}})}))];
}

/** One destination or city. */
export async function one(level, key, {spanSwitch}) {
  const none = empty();
  if (none) return none;
  const kind = KINDS[level];
  const {year, month} = home;
  const span = state.w;
  const [rows, nation, of, live] = await Promise.all([series(level, key), series('nation', 'all'), names(), effects({level, key, span: 'ytd', month: stamp(year, month), band: true})]);
  const own = ofSpan(rows, span);
  const at = (all, y, m) => all.find((row) => row.year === y && row.month === m);
  const [now, ago, mean] = [at(own, year, month), at(own, year - 1, month), at(ofSpan(nation, span), year, month)];
  const name = of[level](key);
  const head = h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, h('a', {href: href({key: null})}, kind.many()), ` · ${key} · ${spanName(span, year, month)}`),
    h('h1', {}, title(name, now, mean)), h('ul.points', {}, lines(now, ago, mean, live, {year, month}))),
  h('div.r', {}, spanSwitch(), h('span.lk.hidem', {}, h('a', {href: href({as_of: home.vintage}, {cited: true})}, L('永久链接', 'Permalink')))));
  const chart = (heading, sub, field, definition) => figure({columns: 4, title: heading, sub, definition, source: {path: `series/${level}/${key}`, parameters: {span}},
    load: () => {
      const data = toLines(own, field);
      if (!data.some((row) => row.value != null)) return {body: blank(L('没有数值。', 'There is no value.'), L('没有持续出口企业，或没有异地工厂。', 'There are no continuing exporters, or no plants elsewhere.'))};
      return {body: yearLines({data, year, width: columnWidth(4), height: 270, label: heading}), table: yearTable(data)};
    }});
  return [head, h('div.grid', {},
    chart(L('本地增长', 'Local growth'), L('持续出口企业均值，对数点；灰线为以往各年', 'Mean of continuing exporters, log points; grey: earlier years'), 'growth', '(L4)'),
    chart(L('异地增长', 'Affiliate growth'), L('同一企业其他工厂所在城市，按工厂出口额加权，对数点', "Cities where the same firms have other plants, weighted by plants' exports, log points"), 'affiliate_growth_weighted_by_exports', '(13)'),
    effectFigure({live, year, level, key}),
    level === 'city' ? sourcesFigure(key, 7) : null, flows(own, level, key), rank(level, key, level === 'city' ? 12 : 5),
    markets(level, key, of), newsTable(12, {level, key}))];
}

function title(name, now, mean) {
  if (!now || now.growth == null) return L('{0}：本期没有持续出口企业', '{0}: no continuing exporters in this period', name);
  const gap = points(now.growth) - points(mean?.growth ?? 0);
  return L('{0}：本地增长 {1} 对数点，{3}全国 {2}', '{0}: local growth {1} log points, {2} {3} the nation', name, num(points(now.growth)), num(Math.abs(gap)),
    gap < 0 ? L('低于', 'below') : L('高于', 'above'));
}

function lines(now, ago, mean, live, {year, month}) {
  if (!now) return [];
  const share = mean ? 100 * Number(now.export_value) / Number(mean.export_value) : null;
  const effect = live.find((row) => row.year === year && row.month === month);
  return [h('li', {}, L('出口 {0}，占全国 {1}%；出口额增长 {2}%。', 'Exports {0}, {1}% of the nation; value growth {2}%.', dollars(Number(now.export_value)), num(share), signed(percent(now.value_growth)))),
    h('li', {}, L('出口关系 {0}，进入 {1}，退出 {2}{3}。', '{0} exporters (plant × destination), {1} entered, {2} left{3}.', whole(now.exporters), whole(now.entrants), whole(now.exits),
      ago ? L('；上年同期退出 {0}', '; {0} left in the same months a year ago', whole(ago.exits)) : '')),
    effect && h('li', {}, L('模型隐含贡献 {0} 对数点（95% 区间 {1} 至 {2}）。', 'Model-implied contribution {0} log points (95% band {1} to {2}).',
      num(points(effect.effect), 2), num(points(band(effect)[0]), 2), num(points(band(effect)[1]), 2)))].filter(Boolean);
}

function flows(own, level, key) {
  return figure({columns: level === 'city' ? 5 : 7, title: L('进入与退出', 'Entrants and exits'), sub: L('出口关系（工厂 × 目的地）；黑线为净进入', 'Exporters (plant × destination); black line: net'),
    definition: L('表 series', 'table series'), source: {path: `series/${level}/${key}`, parameters: {span: '12m'}},
    load: async () => {
      const rows = ofSpan(await series(level, key), '12m').slice(-36).map((row, place) => ({...row, place, net: row.entrants - row.exits}));
      if (rows.length < 2) return {body: blank(L('不足两个月。', 'There are fewer than two months.'), '')};
      const {domain, ticks} = domainOf(rows.flatMap((row) => [row.entrants, -row.exits]), {count: 5});
      const last = rows.at(-1);
      const label = (y, content, colour) => text([last], {x: rows.length, y, text: () => content, textAnchor: 'start', dx: 4, fill: colour, fontWeight: 700, fontSize: 13});
      const chart = draw(L('进入与退出', 'Entrants and exits'), {width: columnWidth(level === 'city' ? 5 : 7), height: 250, marginLeft: 46, marginRight: 84, marginTop: 14, marginBottom: 24,
        x: {domain: [-0.5, rows.length], ticks: rows.filter((row) => row.month === 1).map((row) => row.place), tickFormat: (place) => `${rows[place].year}`, label: null, tickSize: 0},
        y: {domain, ticks, tickFormat: (value) => whole(Math.abs(value)), label: null, tickSize: 0},
        marks: [gridY({stroke: 'var(--grid)', strokeOpacity: 1, ticks}),
          rectY(rows, {x1: (row) => row.place - 0.36, x2: (row) => row.place + 0.36, y1: 0, y2: 'entrants', fill: 'var(--p2)'}),
          rectY(rows, {x1: (row) => row.place - 0.36, x2: (row) => row.place + 0.36, y1: 0, y2: (row) => -row.exits, fill: 'var(--n2)'}),
          ruleY([0], {stroke: 'var(--ink2)'}), line(rows, {x: 'place', y: 'net', stroke: 'var(--ink)', strokeWidth: 1.6}),
          dot([last], {x: 'place', y: 'net', r: 3.2, fill: 'var(--ink)'}),
          label(last.entrants * 0.7, L('进入 {0}', 'Entrants {0}', whole(last.entrants)), 'var(--up)'), label(-last.exits * 0.7, L('退出 {0}', 'Exits {0}', whole(last.exits)), 'var(--down)')]});
      return {body: chart, note: L('最近 12 个月与之前 12 个月相比', 'The latest 12 months against the 12 before'),
        table: {head: [L('月份', 'Month'), L('进入', 'Entrants'), L('退出', 'Exits'), L('净', 'Net')], rows: rows.map((row) => [`${row.year}-${row.month}`, whole(row.entrants), whole(row.exits), signed(row.net, 0)])}};
    }});
}

function rank(level, key, columns) {
  return figure({columns, title: L('名次', 'Rank'), sub: L('按本地增长，持续出口企业 10 家以上者；今年各月累计', 'By local growth among units with at least 10 continuing exporters; this year to date'), definition: '(L4)',
    source: {path: `series/${level}/*`, parameters: {span: 'ytd'}},
    load: async () => {
      const all = (await rowsOf(`series/${level}/*`, atVintage({span: 'ytd', from: stamp(home.year - 2, 1), limit: PAGE}), 60000)).rows.filter((row) => row.growth != null && row.continuing >= 10 && row.month >= 2);
      const groups = Map.groupBy(all, (row) => row.year * 12 + row.month);
      const points_ = [...groups].sort((a, b) => a[0] - b[0]).map(([at, rows]) => {
        const ordered = rows.toSorted((a, b) => b.growth - a.growth);
        const place = ordered.findIndex((row) => row.key === key);
        return {at, year: rows[0].year, month: rows[0].month, rank: place < 0 ? null : place + 1, n: rows.length};
      });
      const own = points_.filter((of) => of.rank);
      if (!own.length) return {body: blank(L('不在名次中。', 'Not in the ranking.'), L('持续出口企业少于 10 家。', 'There are fewer than 10 continuing exporters.'))};
      const most = Math.max(...points_.map((of) => of.n));
      const last = own.at(-1);
      const chart = draw(L('名次', 'Rank'), {width: columnWidth(columns), height: 250, marginLeft: 34, marginRight: 60, marginTop: 14, marginBottom: 24,
        x: {domain: [points_[0].at, points_.at(-1).at], ticks: points_.filter((of) => of.month === 2).map((of) => of.at), tickFormat: (at) => `${Math.floor((at - 1) / 12)}`, label: null, tickSize: 0},
        y: {domain: [most + 1, 1], ticks: [...new Set([1, Math.round(most / 2), most])], label: null, tickSize: 0},
        marks: [gridY({stroke: 'var(--grid)', strokeOpacity: 1, ticks: [1, Math.round(most / 2), most]}), line(points_, {x: 'at', y: 'n', z: 'year', stroke: 'var(--past)', strokeWidth: 1.2}),
          line(own, {x: 'at', y: 'rank', z: 'year', stroke: (of) => (of.year === home.year ? 'var(--now)' : 'var(--prev)'), strokeWidth: 2}),
          dot([last], {x: 'at', y: 'rank', r: 4.5, fill: 'var(--now)', stroke: 'var(--bg)'}),
          text([last], {x: 'at', y: 'rank', dx: 9, textAnchor: 'start', text: (of) => L('第 {0}', 'no. {0}', of.rank), fill: 'var(--now)', fontWeight: 700, fontSize: 14})]});
      return {body: chart, note: L('灰线为末位。每年自 1—2月重新累计', 'Grey: the last place. Each year starts at January–February'),
        table: {head: [L('月份', 'Month'), L('名次', 'Rank'), L('共', 'Of')], rows: own.map((of) => [`${of.year}-${of.month}`, `${of.rank}`, `${of.n}`])}};
    }});
}

/** The markets of a unit: the other side of city × destination, and their changes. */
function markets(level, key, of) {
  const kind = KINDS[level];
  const {year, month} = home;
  const span = state.w;
  const source = {path: 'tables/months', parameters: {[level]: key, month: stamp(year, month), span}};
  return figure({columns: 12, title: kind.markets(), sub: L('{0}；增长为对数点；退出：上年同期有、本期没有的出口企业', '{0}; growth in log points; exits: exporters of the same months a year ago that have none now', spanName(span, year, month)),
    definition: '(L4)', source,
    load: async () => {
      const [now, ago] = await Promise.all([rowsOf(source.path, atVintage({...source.parameters, limit: PAGE})),
        rowsOf(source.path, atVintage({...source.parameters, month: stamp(year - 1, month), limit: PAGE})).catch(() => ({rows: []}))]);
      const before = new Map(ago.rows.map((row) => [row[kind.other], row]));
      const rows = now.rows.map((row) => ({...row, key: row[kind.other], name: of[kind.other](row[kind.other]), value: Number(row.export_value ?? 0), growth: points(row.growth),
        ago: points(before.get(row[kind.other])?.growth), exits_ago: before.get(row[kind.other])?.exits}));
      if (!rows.length) return {body: blank(L('本期没有市场。', 'There are no markets in this period.'), '')};
      const most = Math.max(...rows.filter((row) => row.continuing >= 3).map((row) => Math.abs(row.growth ?? 0)), 1);
      const columns = [
        {name: 'name', label: kind.otherLabel(), isText: true, value: (row) => row.name, cell: (row) => [h('a', {href: href({p: KINDS[kind.other].page, key: row.key, sort: null})}, row.name), h('span.code', {}, row.key)]},
        {name: 'export_value', label: L('出口额', 'Exports'), value: (row) => row.value, cell: (row) => dollars(row.value)},
        {name: 'exporters', label: L('出口企业', 'Exporters'), isWide: true, value: (row) => row.exporters, cell: (row) => whole(row.exporters)},
        {name: 'continuing', label: L('持续出口', 'Continuing'), isWide: true, value: (row) => row.continuing, cell: (row) => whole(row.continuing)},
        {name: 'entrants', label: L('进入', 'Entrants'), value: (row) => row.entrants, cell: (row) => whole(row.entrants)},
        {name: 'exits', label: L('退出', 'Exits'), value: (row) => row.exits, cell: (row) => whole(row.exits)},
        {name: 'growth', label: L('本地增长', 'Local growth'), value: (row) => row.growth, cell: (row) => growthCell(row.growth, null, most)},
        {name: 'ago', label: L('上年同期', 'Year ago'), isWide: true, value: (row) => row.ago, cell: (row) => h('span.' + signClass(row.ago), {}, signed(row.ago))},
        {name: 'explain', label: L('来源', 'Origin'), value: null, isWide: true, cell: (row) => h('a', {href: href({p: 'explain', key: level === 'city' ? `${key}^${row.key}` : `${row.key}^${key}`, sort: null})}, L('分解', 'Explain'))},
      ];
      return {body: sortable({rows, columns, by: '-export_value', label: kind.markets()}),
        table: {head: [kind.otherLabel(), L('代码', 'Code'), L('出口额（美元）', 'Exports (USD)'), L('持续出口', 'Continuing'), L('进入', 'Entrants'), L('退出', 'Exits'), L('本地增长', 'Local growth')],
          rows: rows.map((row) => [row.name, row.key, whole(row.value), whole(row.continuing), whole(row.entrants), whole(row.exits), signed(row.growth)])}};
    }});
}

