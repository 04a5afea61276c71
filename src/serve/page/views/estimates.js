// Estimates: tables as economists read them, the coefficient path, figure 1.
import {dot, gridX, gridY, line, ruleX, ruleY, text} from '../vendor/plot.js';
import {domainOf, draw, nameWidth} from '../charts/base.js';
import {names} from '../core/data.js';
import {columnWidth, h, isNarrow} from '../core/dom.js';
import {address, get, headers, rowsOf} from '../core/api.js';
import {announce, blank, figure} from '../core/figure.js';
import {num, signed, whole} from '../core/format.js';
import {go, state} from '../core/state.js';
import {L} from '../core/words.js';

const TABLES = ['3', '4', '5', '6'];
const GROUPS_SHOWN = 16;
const TERMS = {
  affiliate_growth: () => L('异地增长', 'Affiliate growth'), affiliate_ln_density: () => L('异地密度（对数）', 'Affiliate density (log)'),
  local_growth: () => L('本地增长', 'Local growth'), local_ln_density: () => L('本地密度（对数）', 'Local density (log)'), ln_import: () => L('进口额（对数）', 'Imports (log)'),
  experience: () => L('出口经验', 'Export experience'), ln_export: () => L('出口额（对数）', 'Exports (log)'),
  plant: () => L('工厂', 'Plant'), year: () => L('年份', 'Year'), city: () => L('城市', 'City'), country: () => L('目的地', 'Destination'), firm: () => L('企业', 'Firm'),
};
const one = (name) => TERMS[name]?.() ?? name;
const term = (name) => name.split(':').map(one).join(' × ');
const levels = (name) => name.split('^').map(one).join(' × ');
const stars = (p) => (p == null ? '' : p < 0.01 ? '***' : p < 0.05 ? '**' : p < 0.1 ? '*' : '');

export default async function estimates() {
  const table = TABLES.includes(state.table) ? state.table : '3';
  const answer = await get(`estimates/${table}`).catch((error) => ({models: [], why: error}));
  const models = answer.models ?? [];
  const tabs = h('div.seg', {role: 'radiogroup', 'aria-label': L('表', 'Table')}, TABLES.map((name) =>
    h('button', {type: 'button', role: 'radio', 'aria-checked': String(name === table), onclick: () => go({table: name}, {keep: true})}, L('表 {0}', 'Table {0}', name))));
  const copy = (label, format) => h('button.link', {type: 'button', onclick: async () => {
    const text_ = await fetch(address(`estimates/${table}`, {layout: format}), {headers: headers()}).then((of) => of.text());
    await navigator.clipboard?.writeText(text_);
    announce(L('已复制', 'Copied'));
  }}, label);
  const main = models.find((of) => of.column === '4' || of.name === '3.4') ?? models[0];
  const slope = main?.terms?.find((of) => of.term === 'affiliate_growth');
  return [h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, L('估计 · 第（15）式', 'Estimates · equation (15)')),
    h('h1', {}, slope ? L('异地增长的系数 {0}（{1}）', 'Coefficient of affiliate growth {0} ({1})', num(slope.estimate, 4), num(slope.std_error, 4)) : L('回归估计', 'Regression estimates')),
    h('ul.points', {}, h('li', {}, L('简约关联，不是因果效应。样本、固定效应与聚类见表下。', 'A reduced-form association, not a causal effect. Sample, effects and clusters are below the table.')))),
  h('div.r', {}, tabs, h('span.lk', {}, copy(L('复制 LaTeX', 'Copy LaTeX'), 'latex'), copy('Markdown', 'markdown')))),
  h('div.grid', {}, regression({table, models, why: answer.why}), path(table), figureOne(), influence(main))];
}

function regression({table, models, why}) {
  return figure({columns: 8, title: L('表 {0}', 'Table {0}', table), sub: L('括号内为标准误', 'Standard errors in brackets'), source: {path: `estimates/${table}`, parameters: {}},
    load: () => {
      if (!models.length) return {body: blank(L('还没有估计。', 'There is no estimate yet.'), why?.message ?? L('年度关账后才有估计。', 'Estimates come when a year closes.'), `spillover estimate --table ${table}`)};
      const names = [...new Set(models.flatMap((of) => of.terms.map((row) => row.term)))];
      const of = (model, name) => model.terms.find((row) => row.term === name);
      const cell = (content, sign = '') => h('span.co', {}, h('span', {}, content), h('i', {}, sign));
      const line_ = (label, value) => h('tr.f', {}, h('td', {}, label), models.map((model) => h('td.n', {}, cell(value(model)))));
      const effects = [...new Set(models.flatMap((model) => (model.fixed_effects ?? []).map((effect) => effect.name ?? effect)))];
      const has = (model, effect) => (model.fixed_effects ?? []).some((own) => (own.name ?? own) === effect);
      const clusters = [...new Set(models.flatMap((model) => (model.clusters ?? []).map((own) => levels(own.name ?? own))))];
      return {body: h('div.scroll', {tabindex: 0}, h('table.reg', {}, h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, L('变量', 'Variable')), models.map((model) => h('th.n', {scope: 'col'}, h('b', {}, `(${model.column ?? model.name})`))))),
        h('tbody', {}, names.map((name) => [h('tr.e', {}, h('td', {}, term(name)), models.map((model) => h('td.n', {}, of(model, name) ? cell(num(of(model, name).estimate, 4), stars(of(model, name).p_value)) : ''))),
          h('tr.s', {}, h('td', {}), models.map((model) => h('td.n', {}, of(model, name)?.std_error != null ? cell(`(${num(of(model, name).std_error, 4)})`) : '')))]),
        effects.map((effect) => line_(L('{0}固定效应', '{0} effects', levels(effect)), (model) => (has(model, effect) ? L('是', 'yes') : L('否', 'no')))),
        line_(L('观测数', 'Observations'), (model) => whole(model.n_obs)), line_(L('剔除的单观测组', 'Singletons dropped'), (model) => whole(model.n_singletons)),
        line_(L('聚类数', 'Clusters'), (model) => whole(model.n_clusters)), line_('R²', (model) => num(model.r2, 4)), line_(L('组内 R²', 'Within R²'), (model) => num(model.r2_within, 4))))),
      note: [L('*** p < 0.01，** p < 0.05，* p < 0.1。', '*** p < 0.01, ** p < 0.05, * p < 0.1. '), clusters.length ? L('按{0}聚类。', 'Clustered by {0}.', clusters.join(', ')) : ''],
      table: {head: [L('变量', 'Variable'), ...models.map((model) => `(${model.column ?? model.name})`)], rows: names.map((name) => [term(name), ...models.map((model) => (of(model, name) ? num(of(model, name).estimate, 4) : null))])}};
    }});
}

function path(table) {
  const model = `${table}.${table === '3' ? '4' : '1'}`;
  const parameters = {table: model, term: 'affiliate_growth'};
  return figure({columns: 4, title: L('系数路径', 'Coefficient path'), sub: L('第（{0}）列的异地增长，样本止于各年，95% 区间', 'Affiliate growth in column ({0}), sample through each year, 95% interval', model), definition: '(15)', source: {path: 'path', parameters},
    load: async () => {
      const answer = await rowsOf('path', parameters).catch((error) => ({rows: [], why: error}));
      const rows = answer.rows.filter((row) => row.estimate != null);
      if (!rows.length) return {body: blank(L('没有系数路径。', 'There is no coefficient path.'), answer.why?.message ?? '', `spillover estimate --table ${model} --path`)};
      const year = (row) => row.through - 1 + (row.month ?? 12) / 12;
      const isWhole = (row) => (row.month ?? 12) === 12;
      const name = (row) => (isWhole(row) ? `${row.through}` : `${row.through}-${String(row.month).padStart(2, '0')}`);
      const [years, months] = [rows.filter(isWhole), rows.filter((row) => !isWhole(row))];
      const {domain, ticks, digits} = domainOf(rows.flatMap((row) => [row.conf_low, row.conf_high]));
      const last = years.at(-1) ?? rows.at(-1);
      const colour = (row) => (row === last ? 'var(--now)' : 'var(--prev)');
      const chart = draw(L('系数路径', 'Coefficient path'), {width: columnWidth(4), height: 300, marginLeft: 44, marginRight: 66, marginTop: 12, marginBottom: 26,
        x: {domain: [year(rows[0]) - 0.4, Math.max(year(last), year(rows.at(-1))) + 0.4], ticks: [...new Set(rows.map((row) => row.through))], tickFormat: (of) => `${of}`, label: null, tickSize: 0},
        y: {domain, ticks, tickFormat: (value) => num(value, digits), label: null, tickSize: 0},
        marks: [gridY({ticks, stroke: 'var(--grid)', strokeOpacity: 1}), ruleY([0], {stroke: 'var(--rule2)'}),
          dot(months, {x: year, y: 'estimate', r: 2.5, fill: 'var(--prev)', fillOpacity: 0.45}),
          ruleX(years, {x: year, y1: 'conf_low', y2: 'conf_high', stroke: colour, strokeWidth: 2}), dot(years, {x: year, y: 'estimate', r: 4, fill: colour, stroke: 'var(--bg)'}),
          text([last], {x: year, y: 'estimate', text: (row) => num(row.estimate, 3), dx: 10, textAnchor: 'start', fill: 'var(--now)', fontWeight: 700, fontSize: 14})]});
      return {body: chart, table: {head: [L('样本止于', 'Sample through'), L('系数', 'Estimate'), L('下限', 'Low'), L('上限', 'High')], rows: rows.map((row) => [name(row), num(row.estimate, 4), num(row.conf_low, 4), num(row.conf_high, 4)])}};
    }});
}

function figureOne() {
  return figure({columns: 6, title: L('图 1　异地增长与出口', 'Figure 1. Affiliate growth and exports'), sub: L('等分组均值，均已减去工厂 × 年份均值；直线为全部观测', 'Means of equal bins, net of plant × year means; line: all observations'), source: {path: 'estimates/figure1', parameters: {}},
    load: async () => {
      const answer = await get('estimates/figure1').catch((error) => ({why: error}));
      const shown = answer.figures?.[0];
      if (!shown) return {body: blank(L('没有图 1。', 'There is no figure 1.'), answer.why?.message ?? '', 'spillover estimate --table figure1 -o figure1.svg')};
      const x = domainOf(shown.bins.map((bin) => bin.x));
      const y = domainOf(shown.bins.map((bin) => bin.y), {zero: false});
      const ends = x.domain.map((of) => [of, shown.intercept + shown.slope * of]);
      const chart = draw(L('图 1', 'Figure 1'), {width: columnWidth(6), height: 320, marginLeft: 46, marginRight: 16, marginTop: 26, marginBottom: 40,
        x: {domain: x.domain, ticks: x.ticks, tickFormat: (value) => signed(100 * value, 0), label: null, tickSize: 0}, y: {domain: y.domain, ticks: y.ticks, tickFormat: (value) => num(value, y.digits), label: null, tickSize: 0},
        marks: [gridY({ticks: y.ticks, stroke: 'var(--grid)', strokeOpacity: 1}), gridX({ticks: [0], stroke: 'var(--rule2)', strokeOpacity: 1}), line(ends, {stroke: 'var(--prev)', strokeWidth: 1.6, clip: true}),
          dot(shown.bins, {x: 'x', y: 'y', r: 4.5, fill: 'var(--now)', stroke: 'var(--bg)'}),
          text([0], {x: x.domain[0], y: y.domain[1], dy: -14, dx: -40, textAnchor: 'start', text: () => L('出口额（对数）', 'Exports (log)'), fill: 'var(--ink2)'}),
          text([0], {x: x.domain[1], y: y.domain[0], dy: 34, textAnchor: 'end', text: () => L('异地增长（对数点）', 'Affiliate growth (log points)'), fill: 'var(--ink2)'})]});
      const interval = shown.conf_low == null ? '' : L('（95% 区间 {0} 至 {1}）', ' (95% interval {0} to {1})', num(shown.conf_low, 3), num(shown.conf_high, 3));
      return {body: chart, note: L('斜率 {0}{1}；N = {2}', 'Slope {0}{1}; N = {2}', num(shown.slope, 3), interval, whole(shown.n_obs)),
        table: {head: ['x', 'y', 'n'], rows: shown.bins.map((bin) => [num(bin.x, 4), num(bin.y, 4), whole(bin.n)])}};
    }});
}

// The coefficient without each city: the cities that change it most, and how it stands with all.
function influence(model) {
  const of = model?.influence;
  const name = model?.name ?? '3.4';
  return figure({columns: 6, title: L('逐一剔除城市', 'Leaving out one city at a time'), sub: L('异地增长的系数：剔除各城市后的值，按值排列；横线为全部城市的 95% 区间（CV3）', 'Coefficient of affiliate growth without each city, in order; bar: 95% interval with all cities (CV3)'),
    definition: L('列 {0}', 'column {0}', name), source: {path: 'influence', parameters: {}},
    load: async () => {
      const place = of?.groups === 'city' ? of.terms.findIndex((row) => row.term === 'affiliate_growth') : -1;
      if (place < 0) return {body: blank(L('没有剔除城市的估计。', 'No estimate leaves out cities.'), L('用命令估计一次即可存入。', 'One run of the command stores it.'), `spillover estimate --table ${name} --leave-one-out`)};
      const [known, everywhere] = [await names(), L('全部城市', 'All cities')];
      const all = of.terms[place];
      const shift = (row) => row.value - all.estimate;
      const cases = of.cases.filter((row) => row.estimates).map((row) => ({city: known.city(row.group), value: row.estimates[place], rows: row.n_obs}));
      const ordered = cases.toSorted((a, b) => Math.abs(shift(b)) - Math.abs(shift(a)));
      const shown = ordered.slice(0, GROUPS_SHOWN).toSorted((a, b) => a.value - b.value);
      const {domain, ticks, digits} = domainOf([...shown.map((row) => row.value), all.conf_low, all.conf_high], {zero: false});
      const [decimals, left] = [Math.max(digits, 4), nameWidth([everywhere, ...shown.map((row) => row.city)]) + 10];
      const chart = draw(L('逐一剔除城市后的系数', 'Coefficient without each city'), {width: columnWidth(6), height: 60 + 20 * shown.length, marginLeft: left, marginRight: 64, marginTop: 26, marginBottom: 26,
        x: {domain, ticks: isNarrow() ? ticks.filter((_, at) => at % 2 === 0) : ticks, tickFormat: (value) => num(value, digits), label: null, tickSize: 0},
        y: {domain: [everywhere, ...shown.map((row) => row.city)], label: null, tickSize: 0, type: 'point', padding: 0.6},
        marks: [gridX({ticks, stroke: 'var(--grid)', strokeOpacity: 1}), ruleX([all.estimate], {stroke: 'var(--now)', strokeWidth: 1.4}),
          ruleY(all.conf_low == null ? [] : [all], {y: () => everywhere, x1: 'conf_low', x2: 'conf_high', stroke: 'var(--now)', strokeWidth: 2.4}), dot([all], {x: 'estimate', y: () => everywhere, r: 4, fill: 'var(--now)', stroke: 'var(--bg)'}),
          dot(shown, {x: 'value', y: 'city', r: 4, fill: 'var(--prev)', stroke: 'var(--bg)'}),
          text(shown, {x: domain[1], y: 'city', dx: 6, textAnchor: 'start', text: (row) => signed(shift(row), decimals), fill: 'var(--ink2)'}),
          text([all], {x: domain[1], y: () => everywhere, dx: 6, textAnchor: 'start', text: () => num(all.estimate, decimals), fill: 'var(--now)', fontWeight: 700})]});
      const wild = of.wild_bootstrap?.terms?.[place]?.p_value;
      return {body: chart, note: [L('全部 {2} 个城市：{0}（CV3 标准误 {1}）。', 'All {2} cities: {0} (CV3 standard error {1}).', num(all.estimate, 4), num(all.std_error, 4), whole(of.n_groups)),
        shown.length < ordered.length ? L('示变化最大的 {0} 个。', ' The {0} with the largest changes are shown.', whole(shown.length)) : '',
        wild == null ? '' : L('城市 wild 自助法 p = {0}。', ' City wild bootstrap p = {0}.', num(wild, 3))],
        table: {head: [L('剔除的城市', 'City left out'), L('系数', 'Estimate'), L('变化', 'Change'), L('行数', 'Rows')], rows: ordered.map((row) => [row.city, num(row.value, 4), signed(shift(row), decimals), whole(row.rows)])}};
    }});
}
