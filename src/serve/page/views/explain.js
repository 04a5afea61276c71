// Explain: one row of plant down to cities and exporters, the parts adding up on the page.
import {cellBar} from '../charts/sparks.js';
import {h} from '../core/dom.js';
import {names, stamp} from '../core/data.js';
import {atVintage, get, rowsOf} from '../core/api.js';
import {blank, figure} from '../core/figure.js';
import {dollars, num, points, signClass, signed, whole} from '../core/format.js';
import {home} from '../core/home.js';
import {go, href, state} from '../core/state.js';
import {sortable} from '../core/tables.js';
import {L, spanName} from '../core/words.js';
import {empty} from './shared.js';

export default async function view() {
  const none = empty();
  if (none) return none;
  const of = await names();
  const [city, country, firm, year] = (state.key ?? '').split('^');
  const input = (name, label, value, hint) => h('label.field', {}, label, h('input', {name, value: value ?? '', placeholder: hint, required: true}));
  const form = h('form.fields', {onsubmit: (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    go({key: [given.city, given.country].map((text) => text.trim()).join('^')});
  }}, input('city', L('城市', 'City'), city && of.city(city), L('苏州市、3205', 'Suzhou, 3205')), input('country', L('目的地', 'Destination'), country && of.country(country), L('德国、DEU', 'Germany, DEU')),
  h('button.primary', {type: 'submit'}, L('查找', 'Find')));
  const head = h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, L('分解 · 从数字到企业', 'Explain · from figures to exporters')),
    h('h1', {}, city ? `${of.city(city)} → ${of.country(country)}` : L('任何数字都可以追到企业', 'Any figure can be followed down to its exporters')), form));
  if (!city || !country) return [head];
  return [head, h('div.grid', {}, ...(firm ? rowFigures({city, country, firm, year, of}) : [market({city, country, of}), plants({city, country, of})]))];
}

/** The market of a city and a destination by month. */
function market({city, country, of}) {
  const {year, month} = home;
  const parameters = {city, country, month: stamp(year, month), span: state.w};
  return figure({columns: 12, title: L('市场：{0} → {1}', 'Market: {0} → {1}', of.city(city), of.country(country)), sub: spanName(state.w, year, month), definition: '(L4)', source: {path: 'tables/months', parameters}, minHeight: 60,
    load: async () => {
      const {rows} = await get('tables/months', atVintage(parameters));
      if (!rows.length) return {body: blank(L('本期没有此市场。', 'This market has no exports in the period.'), '')};
      const [row] = rows;
      const facts = [[L('出口额', 'Exports'), dollars(Number(row.export_value))], [L('出口企业', 'Exporters'), whole(row.exporters)], [L('持续出口', 'Continuing'), whole(row.continuing)],
        [L('进入', 'Entrants'), whole(row.entrants)], [L('退出', 'Exits'), whole(row.exits)], [L('本地增长', 'Local growth'), signed(points(row.growth))], [L('标准差', 'Std deviation'), num(points(row.growth_sd))], [L('密度（对数）', 'Density (log)'), num(row.ln_density, 2)]];
      return {body: h('dl.facts', {}, facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))), table: {head: facts.map(([name]) => name), rows: [facts.map(([, value]) => value)]}};
    }});
}

/** The plants of multi-plant firms in the market: each can be explained. */
function plants({city, country, of}) {
  const parameters = {city, country};
  return figure({columns: 12, title: L('多工厂企业在此市场的工厂', 'Plants of multi-plant firms in this market'), sub: L('年度行；点企业看其指标的全部来源', 'Annual rows; select a firm to see all sources of its indicators'), definition: L('(13)、(14)', '(13), (14)'), source: {path: 'tables/plant', parameters},
    load: async () => {
      const {rows} = await rowsOf('tables/plant', atVintage({...parameters, limit: 5000}), 5000);
      if (!rows.length) return {body: blank(L('没有多工厂企业。', 'There are no multi-plant firms.'), L('此市场的年度表没有行。', 'The annual table has no rows of this market.'))};
      const key = (row) => [city, country, row.firm, row.year].join('^');
      const columns = [{name: 'firm', label: L('企业', 'Firm'), isText: true, value: (row) => row.firm, cell: (row) => h('a', {href: href({key: key(row)})}, row.firm)}, {name: 'year', label: L('年份', 'Year'), value: (row) => row.year, cell: (row) => `${row.year}`},
        {name: 'export_value', label: L('出口额', 'Exports'), value: (row) => Number(row.export_value), cell: (row) => dollars(Number(row.export_value))},
        {name: 'local_growth', label: L('本地增长', 'Local growth'), value: (row) => row.local_growth, cell: (row) => signed(points(row.local_growth))},
        {name: 'affiliate_growth', label: L('异地增长', 'Affiliate growth'), value: (row) => row.affiliate_growth, cell: (row) => signed(points(row.affiliate_growth))},
        {name: 'affiliate_ln_density', label: L('异地密度', 'Affiliate density'), value: (row) => row.affiliate_ln_density, cell: (row) => num(row.affiliate_ln_density, 2)}];
      return {body: sortable({rows, columns, by: '-year', label: L('工厂', 'Plants')}), note: h('span', {}, of.city(city)), table: {head: columns.map((one) => one.label), rows: rows.map((row) => columns.map((one) => (one.name === 'firm' ? row.firm : one.cell(row))))}};
    }});
}

/** One row of plant: its cities and exporters. */
function rowFigures({city, country, firm, year, of}) {
  const parameters = {firm, city, country, year};
  const answer = get('explain', atVintage(parameters));
  answer.catch(() => {});
  const part = (kind, title, field) => figure({columns: 6, title, sub: L('{0}年；对数点；各部分相加', '{0}; log points; the parts add up', year), definition: L('(13)', '(13)'), source: {path: 'explain', parameters},
    load: async () => {
      const whole_ = await answer;
      const markets = kind === 'local' ? [whole_.local] : whole_.affiliates;
      const rows = markets.flatMap((market) => market.plants.map((plant) => ({...plant, city: market.city})));
      if (!rows.length) return {body: blank(L('没有来源。', 'There are no sources.'), '')};
      const counted = rows.filter((row) => row.counted && row.growth != null);
      const sum = counted.reduce((all, row) => all + points(row.growth), 0);
      const most = Math.max(...rows.map((row) => Math.abs(points(row.growth) ?? 0)), 1e-9);
      const columns = [{name: 'city', label: L('城市', 'City'), isText: true, value: (row) => of.city(row.city), cell: (row) => of.city(row.city)}, {name: 'firm', label: L('企业', 'Firm'), isText: true, value: (row) => row.firm, cell: (row) => row.firm},
        {name: 'base_value', label: L('上年', 'Year before'), value: (row) => Number(row.base_value ?? 0), cell: (row) => (row.base_value == null ? '–' : dollars(Number(row.base_value)))}, {name: 'export_value', label: L('本年', 'Year'), value: (row) => Number(row.export_value ?? 0), cell: (row) => (row.export_value == null ? '–' : dollars(Number(row.export_value)))},
        {name: 'growth', label: L('增长', 'Growth'), value: (row) => row.growth, cell: (row) => [cellBar(points(row.growth), most, {width: 64}), h('span.' + signClass(row.growth), {style: 'display:inline-block;min-width:54px'}, signed(points(row.growth)))]}];
      const shown = whole_.published?.[field];
      return {body: [sortable({rows, columns, by: '-growth', label: title}), h('p.sub2', {}, L('{0} 家持续出口企业，增长之和 {1}，均值 {2}', '{0} continuing exporters, sum of growth {1}, mean {2}', whole(counted.length), signed(sum, 2), counted.length ? signed(sum / counted.length, 2) : '–'),
        shown != null && L('；表中数字 {0}', '; figure in the table {0}', signed(points(shown), 2)))],
      table: {head: columns.map((one) => one.label), rows: rows.map((row) => [of.city(row.city), row.firm, row.base_value, row.export_value, signed(points(row.growth))].map((value) => (value == null ? null : String(value))))}};
    }});
  return [h('p.s12.kicker', {}, h('a', {href: href({key: `${city}^${country}`})}, L('← 返回市场', '← Back to the market')), ` · ${firm} · ${year}`), part('affiliate', L('异地：其他工厂所在城市', 'Affiliate cities'), 'affiliate_growth'), part('local', L('本地：同城出口企业', 'Local exporters'), 'local_growth')];
}
