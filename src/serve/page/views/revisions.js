// Revisions: which periods each publication changed, one figure at every vintage, two vintages compared.
import {dot, gridY, line, text} from '../vendor/plot.js';
import {domainOf, draw} from '../charts/base.js';
import {cellBar} from '../charts/sparks.js';
import {columnWidth, h, isNarrow, s} from '../core/dom.js';
import {names} from '../core/data.js';
import {get, rowsOf} from '../core/api.js';
import {blank, figure} from '../core/figure.js';
import {day, num, points, signClass, signed, whole} from '../core/format.js';
import {home, vintageBefore} from '../core/home.js';
import {newsTable} from '../core/news.js';
import {go, href, state} from '../core/state.js';
import {sortable} from '../core/tables.js';
import {L, monthName, spanName} from '../core/words.js';
import {empty, ofSpan} from './shared.js';

const PUBLICATIONS = 14;

/** The national series at the last vintage of each of the newest publications. */
async function history() {
  const last = new Map();
  for (const of of home.vintages) if (of.is_stored && of.vintage <= home.vintage) last.set(of.publication, of);
  const shown = [...last.values()].slice(-PUBLICATIONS);
  const all = await Promise.all(shown.map((of) => rowsOf('series/nation/all', {span: state.w, as_of: of.vintage}).catch(() => ({rows: []}))));
  return shown.map((of, place) => ({...of, values: new Map(ofSpan(all[place].rows, state.w).map((row) => [row.year * 12 + row.month, points(row.growth)]))}));
}

export default async function revisions({spanSwitch}) {
  const none = empty();
  if (none) return none;
  const published = history();
  const v1 = Number(state.v1) || vintageBefore();
  const v2 = Number(state.v2) || home.vintage;
  return [h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, L('修订 · 全国本地增长', 'Revisions · national local growth')),
    h('h1', {}, L('已发布数字的历次变动', 'How published figures have changed')),
    h('ul.points', {}, h('li', {}, L('每个接收的文件为一个版本；一次发布含一个或多个版本。', 'Every accepted file is a vintage; a publication holds one or more.')),
      h('li', {}, L('迟报记录、修改与撤销会改动已发布的期间；旧版本仍可读取。', 'Late records, amendments and withdrawals change published periods; earlier vintages stay readable.')))),
  h('div.r', {}, spanSwitch(), pair(v1, v2))),
  h('div.grid', {}, triangle(published), single(published), newsTable(8, {v1, v2}), moved(v1, v2), steps())];
}

function pair(v1, v2) {
  const stored = home.vintages.filter((of) => of.is_stored).toReversed();
  const choose = (name, value, label) => h('select.sel', {'aria-label': label, onchange: (event) => go({v1, v2, [name]: event.target.value}, {keep: true})},
    stored.map((of) => h('option', {value: of.vintage, selected: of.vintage === value}, `${of.vintage}`)));
  return h('span.lk', {}, L('比较版本', 'Compare vintages'), choose('v1', v1, L('前一版本', 'Earlier vintage')), '→', choose('v2', v2, L('后一版本', 'Later vintage')));
}

function triangle(published) {
  return figure({columns: 12, title: L('每次发布改动了哪些期间', 'Which periods each publication changed'), sub: L('与上一次发布之差，0.01 对数点；一行为一个期间，一列为一次发布', 'Difference from the publication before, 0.01 log points; a row is a period, a column a publication'),
    definition: '(L4)', source: {path: 'series/nation/all', parameters: {span: state.w}},
    load: async () => {
      const all = await published;
      const periods = [...new Set(all.flatMap((of) => [...of.values.keys()]))].sort((a, b) => b - a).filter((at) => at % 12 !== 1).slice(0, 18);
      if (all.length < 2) return {body: blank(L('只有一次发布。', 'There is only one publication.'), L('修订在第二次发布后出现。', 'Revisions appear with the second one.'))};
      const name = (at) => spanName(state.w, Math.floor((at - 1) / 12), (at - 1) % 12 + 1);
      const change = (at, place) => {
        const [now, was] = [all[place].values.get(at), all[place - 1]?.values.get(at)];
        return now == null ? null : was == null ? 'first' : now - was;
      };
      return {body: h('div.scroll', {tabindex: 0}, drawn(all, periods, name, change)),
        table: {head: [L('期间', 'Period'), ...all.map((of) => `${of.vintage}`)], rows: periods.map((at) => [name(at), ...all.map((_, place) => {
          const value = change(at, place);
          return value === 'first' ? L('首次', 'first') : value == null ? null : signed(value, 3);
        })])}};
    }});
}

function drawn(all, periods, name, change) {
  const [left, high, top] = [isNarrow() ? 110 : 150, 27, 46];
  const cell = Math.max(40, (columnWidth(12) - left - 130) / all.length);
  const width = left + cell * all.length + 130;
  const frame = s('svg', {width, height: top + periods.length * high + 8, viewBox: `0 0 ${width} ${top + periods.length * high + 8}`, 'data-chart': '', role: 'img', 'aria-label': L('修订三角', 'Revision triangle')});
  const write = (x, y, content, more = {}) => frame.append(s('text', {x, y, 'font-size': 12, fill: 'var(--ink2)', ...more}, content));
  all.forEach((of, place) => {
    write(left + (place + 0.5) * cell, top - 24, `${of.vintage}`, {'text-anchor': 'middle', 'font-weight': 700});
    write(left + (place + 0.5) * cell, top - 9, of.month ? monthName(Number(of.month.slice(5))) : '', {'text-anchor': 'middle'});
  });
  write(left + cell * all.length + 60, top - 9, L('现值', 'Now'), {'text-anchor': 'end'});
  write(left + cell * all.length + 122, top - 9, L('累计', 'Total'), {'text-anchor': 'end'});
  const colour = (value) => {
    const size = Math.round(Math.abs(value) * 100);
    const place = size < 1 ? 0 : size < 5 ? 1 : size < 20 ? 2 : size < 100 ? 3 : 4;
    return [place ? `var(--${value < 0 ? 'n' : 'p'}${place})` : 'var(--zero)', place === 4 ? 'var(--bg)' : place === 3 ? `var(--t${value < 0 ? 'n' : 'p'}3)` : 'var(--ink)'];
  };
  periods.forEach((at, row) => {
    const y = top + row * high;
    write(0, y + 18, name(at), {'font-size': 13, fill: 'var(--ink)'});
    let first = null;
    all.forEach((of, place) => {
      const value = change(at, place);
      const x = left + place * cell;
      if (value == null) return;
      if (value === 'first') {
        first ??= of.values.get(at);
        frame.append(s('rect', {x: x + 0.5, y: y + 0.5, width: cell - 2, height: high - 2, fill: 'none', stroke: 'var(--ink3)'}));
        return write(x + cell / 2, y + 17, L('首次', 'first'), {'text-anchor': 'middle', 'font-size': 11});
      }
      const [fill, ink] = colour(value);
      frame.append(s('rect', {x, y, width: cell - 1, height: high - 1, fill}));
      if (Math.abs(value) >= 0.005) write(x + cell / 2, y + 17.5, signed(100 * value, 0), {'text-anchor': 'middle', fill: ink});
    });
    const now = all.at(-1).values.get(at);
    write(left + cell * all.length + 60, y + 18, num(now, 2), {'text-anchor': 'end', 'font-size': 13, fill: 'var(--ink)'});
    const total = first == null || now == null ? null : now - first;
    write(left + cell * all.length + 122, y + 18, total == null ? '–' : signed(total, 2), {'text-anchor': 'end', 'font-size': 13, 'font-weight': 700, fill: total ? `var(--${total > 0 ? 'up' : 'down'})` : 'var(--ink2)'});
  });
  return frame;
}

function single(published) {
  return figure({columns: 4, title: L('一个数字的历次取值', 'One figure at every vintage'), sub: L('本地增长，对数点；纵轴不从零起', 'Local growth, log points; the axis does not start at zero'), definition: '(L4)', source: {path: 'series/nation/all', parameters: {span: state.w}},
    load: async () => {
      const all = await published;
      const counted = new Map();
      for (const of of all) for (const at of of.values.keys()) counted.set(at, (counted.get(at) ?? 0) + 1);
      const [at] = [...counted].filter(([, n]) => n > 1).sort((a, b) => b[0] - a[0])[0] ?? [];
      const rows = all.filter((of) => of.values.has(at)).map((of, place) => ({place, vintage: of.vintage, value: of.values.get(at)}));
      if (rows.length < 2) return {body: blank(L('还没有修订。', 'There is no revision yet.'), '')};
      const {domain, ticks, digits} = domainOf(rows.map((row) => row.value), {zero: false, count: 4});
      const last = rows.at(-1);
      const chart = draw(L('历次取值', 'Values by vintage'), {width: columnWidth(4), height: 236, marginLeft: 52, marginRight: 62, marginTop: 18, marginBottom: 24,
        x: {domain: [0, rows.length - 1], ticks: rows.map((row) => row.place), tickFormat: (place) => `${rows[place].vintage}`, label: null, tickSize: 0}, y: {domain, ticks, tickFormat: (value) => num(value, digits), label: null, tickSize: 0},
        marks: [gridY({ticks, stroke: 'var(--grid)', strokeOpacity: 1}), line(rows, {x: 'place', y: 'value', curve: 'step-after', stroke: 'var(--now)', strokeWidth: 2.4}), dot(rows, {x: 'place', y: 'value', r: 2.6, fill: 'var(--now)'}),
          text([last], {x: 'place', y: 'value', dx: 8, textAnchor: 'start', text: (row) => num(row.value, 2), fill: 'var(--now)', fontWeight: 700, fontSize: 14})]});
      return {body: [h('p.ptitle', {}, spanName(state.w, Math.floor((at - 1) / 12), (at - 1) % 12 + 1)), chart],
        table: {head: [L('版本', 'Vintage'), L('本地增长', 'Local growth')], rows: rows.map((row) => [`${row.vintage}`, signed(row.value, 3)])}};
    }});
}

function moved(v1, v2) {
  const parameters = {before: v1, as_of: v2};
  return figure({columns: 12, title: L('改动最大的年度市场', 'The annual markets that moved most'), sub: L('本地增长，版本 {0} 到 {1}，对数点；点列名排序', 'Local growth, vintage {0} to {1}, log points; select a heading to sort', v1 ?? '–', v2 ?? '–'), definition: '(L4)', source: {path: 'diff', parameters},
    load: async () => {
      if (!v1 || v1 >= v2) return {body: blank(L('请选两个版本。', 'Choose two vintages.'), '')};
      const [answer, of] = await Promise.all([rowsOf('diff', {...parameters, limit: 10000}, 20000).catch((error) => ({rows: [], why: error})), names()]);
      const rows = answer.rows.filter((row) => row.table === 'city' && row.column === 'growth' && row.before != null && row.after != null)
        .map((row) => ({...row, city: row.city ?? '', country: row.country ?? '', from: points(Number(row.before)), to: points(Number(row.after))})).map((row) => ({...row, change: row.to - row.from}));
      if (!rows.length) return {body: blank(L('没有年度增长的改动。', 'No annual growth changed.'), answer.why?.message ?? '')};
      const most = Math.max(...rows.map((row) => Math.abs(row.change)));
      const name = (row) => `${of.city(row.city)} → ${of.country(row.country)}`;
      return {body: sortable({rows, by: '-size', label: L('改动', 'Changes'), columns: [
        {name: 'name', label: L('市场', 'Market'), isText: true, value: name, cell: (row) => h('a', {href: href({p: 'cities', key: row.city, sort: null})}, name(row))},
        {name: 'year', label: L('年份', 'Year'), value: (row) => row.year, cell: (row) => `${row.year}`},
        {name: 'from', label: L('版本 {0}', 'Vintage {0}', v1), value: (row) => row.from, cell: (row) => signed(row.from, 2)}, {name: 'to', label: L('版本 {0}', 'Vintage {0}', v2), value: (row) => row.to, cell: (row) => signed(row.to, 2)},
        {name: 'size', label: L('改动', 'Change'), value: (row) => Math.abs(row.change), cell: (row) => [cellBar(row.change, most, {width: 80}), h('span.' + signClass(row.change), {style: 'display:inline-block;min-width:54px'}, signed(row.change, 2))]}]}),
      table: {head: [L('市场', 'Market'), L('年份', 'Year'), `${v1}`, `${v2}`, L('改动', 'Change')], rows: rows.map((row) => [name(row), `${row.year}`, signed(row.from, 2), signed(row.to, 2), signed(row.change, 2)])}};
    }});
}

function steps() {
  return figure({columns: 12, title: L('历次发布', 'Publications'), sub: L('每次发布改动的行与数字', 'Rows and figures that each publication changed'), source: {path: 'revisions', parameters: {}},
    load: async () => {
      const answer = await get('revisions', {last: 20}).catch((error) => ({rows: [], why: error}));
      const rows = answer.rows ?? [];
      if (!rows.length) return {body: blank(L('没有发布。', 'There are no publications.'), answer.why?.message ?? '')};
      const columns = [{name: 'vintages', label: L('版本', 'Vintages'), isText: true, value: (row) => Number(String(row.vintages).split('-').at(-1)), cell: (row) => row.vintages}, {name: 'committed_at', label: L('提交日', 'Committed'), isText: true, value: (row) => row.committed_at, cell: (row) => day(row.committed_at) ?? '–'},
        {name: 'table', label: L('表', 'Table'), isText: true, value: (row) => row.table ?? '', cell: (row) => row.table ?? '–'}, {name: 'year', label: L('年份', 'Year'), value: (row) => row.year, cell: (row) => row.year ?? '–'},
        {name: 'rows_new', label: L('新行', 'New rows'), value: (row) => row.rows_new, cell: (row) => whole(row.rows_new)}, {name: 'rows_gone', label: L('消失的行', 'Rows gone'), value: (row) => row.rows_gone, cell: (row) => whole(row.rows_gone)}, {name: 'figures', label: L('改动的数字', 'Figures changed'), value: (row) => row.figures, cell: (row) => whole(row.figures)}];
      return {body: sortable({rows, columns, by: '-vintages', label: L('发布', 'Publications')}), table: {head: columns.map((of) => of.label), rows: rows.map((row) => columns.map((of) => String(of.cell(row))))}};
    }});
}
