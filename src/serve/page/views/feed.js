// Feed: files, lines by how they ended, findings, alerts, rejects, vintages.
import {cellBar} from '../charts/sparks.js';
import {alertHistory} from '../core/alerts.js';
import {h} from '../core/dom.js';
import {atVintage, get, rowsOf} from '../core/api.js';
import {blank, figure} from '../core/figure.js';
import {day, num, whole} from '../core/format.js';
import {home} from '../core/home.js';
import {sortable} from '../core/tables.js';
import {L} from '../core/words.js';

const RULES = {
  columns: () => L('列数', 'Columns'), quote: () => L('引号', 'Quotes'), length: () => L('长度', 'Length'), encoding: () => L('编码', 'Encoding'),
  period: () => L('月份', 'Month'), future_period: () => L('未来月份', 'Future month'), early_period: () => L('过早月份', 'Early month'), flow: () => L('进出口', 'Flow'),
  firm: () => L('企业', 'Firm'), code: () => L('编码', 'Code'), region: () => L('地区', 'Region'), country: () => L('国家（地区）', 'Country'), number: () => L('数值', 'Number'),
  range: () => L('范围', 'Range'), intermediary: () => L('贸易中介', 'Intermediary'), filter: () => L('筛选', 'Filter'), missing: () => L('缺失', 'Missing'),
};
const rule = (name) => RULES[name]?.() ?? name;

export default async function feed() {
  const {status} = home;
  const total = status.lines || 0;
  const rejected = (status.rejected || []).reduce((sum, of) => sum + of.lines, 0);
  const excluded = (status.excluded || []).reduce((sum, of) => sum + of.lines, 0);
  return [h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, L('数据 · 版本 {0}', 'Feed · vintage {0}', home.vintage ?? '–')),
    h('h1', {}, L('{0} 个文件，{1} 行：接收 {2}，剔除 {3}，拒绝 {4}', '{0} files, {1} lines: {2} accepted, {3} excluded, {4} rejected', whole(status.files), whole(total), whole(status.accepted), whole(excluded), whole(rejected))),
    h('ul.points', {}, h('li', {}, L('每一行必有一种结局；各种结局相加等于总行数。', 'Every line ends in one way; the ways add up to all lines.')), health(status)))),
  h('div.grid', {}, endings(status, total), findings(status), alertHistory(12), files(), rejects(), vintages())];
}

function health(status) {
  const watcher = status.watcher ?? status.heartbeat;
  if (!watcher) return h('li', {}, L('没有正在运行的监视进程。', 'No watcher has written a heartbeat.'));
  return h('li', {}, L('监视进程：{0}，{1}', 'Watcher: {0}, {1}', watcher.state ?? '–', watcher.at ?? watcher.time ?? ''));
}

function endings(status, total) {
  const rows = [[L('接收', 'Accepted'), status.accepted, 'accepted'],
    ...(status.excluded || []).filter((of) => of.lines).map((of) => [L('剔除：{0}', 'Excluded: {0}', rule(of.rule)), of.lines, 'excluded']),
    ...(status.rejected || []).filter((of) => of.lines).map((of) => [L('拒绝：{0}', 'Rejected: {0}', rule(of.rule)), of.lines, 'rejected'])];
  const head = [L('结局', 'Ending'), L('行数', 'Lines'), '%'];
  return figure({columns: 6, title: L('各行的结局', 'Lines by how they ended'), sub: L('行数', 'Lines'), source: {path: 'status', parameters: {}},
    load: () => ({table: {head, rows: rows.map(([name, lines]) => [name, whole(lines), num(100 * lines / (total || 1), 2)])},
      body: h('table', {}, h('thead', {}, h('tr', {}, head.map((text, place) => h(place ? 'th.n' : 'th', {scope: 'col'}, text)))),
        h('tbody', {}, rows.map(([name, lines]) => h('tr', {}, h('td', {}, name), h('td.n', {}, whole(lines)),
          h('td.n', {}, cellBar(lines, total, {width: 84, zero: 0, colour: 'var(--prev)'}), ' ', num(100 * lines / (total || 1), 2))))))})});
}

function findings(status) {
  const rows = status.findings || [];
  return figure({columns: 6, title: L('提示', 'Findings'), sub: L('值得核对而未拒绝的情况', 'What deserves a look and was not refused'), source: {path: 'findings', parameters: {}},
    load: () => (rows.length ? {table: {head: [L('提示', 'Finding'), L('文件数', 'Files'), L('最近文件', 'Last file')], rows: rows.map((of) => [of.finding, whole(of.files), of.last_file])},
      body: h('table', {}, h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, L('提示', 'Finding')), h('th.n', {scope: 'col'}, L('文件数', 'Files')), h('th', {scope: 'col', style: 'padding-left:24px'}, L('最近文件', 'Last file')))),
        h('tbody', {}, rows.map((of) => h('tr', {}, h('td', {}, of.finding), h('td.n', {}, whole(of.files)), h('td', {style: 'padding-left:24px'}, of.last_file)))))}
      : {body: blank(L('没有提示。', 'There are no findings.'), '')})});
}

const listed = (columns, title, path, fields, by) => figure({columns, title, sub: '', source: {path, parameters: {}}, minHeight: 120,
  load: async () => {
    const answer = await (path === 'vintages' ? get(path) : rowsOf(path, atVintage({limit: 5000}), 5000)).catch((error) => ({rows: [], why: error}));
    if (!answer.rows.length) return {body: blank(L('没有行。', 'There are no rows.'), answer.why?.message ?? '')};
    const cell = ([name, , turn]) => (row) => (turn ? turn(row[name], row) : row[name] ?? '–');
    return {table: {head: fields.map(([, label]) => label), rows: answer.rows.map((row) => fields.map((of) => String(cell(of)(row))))},
      body: sortable({rows: answer.rows, by, label: title, columns: fields.map((of) => ({name: of[0], label: of[1], isText: of[3] !== 'n', value: (row) => row[of[0]], cell: cell(of)}))})};
  }});

const files = () => listed(12, L('文件', 'Files'), 'files', [['vintage', L('版本', 'Vintage'), null, 'n'], ['file', L('文件', 'File')], ['period', L('月份', 'Month')], ['lines', L('行数', 'Lines'), whole, 'n'],
  ['accepted', L('接收', 'Accepted'), whole, 'n'], ['excluded', L('剔除', 'Excluded'), whole, 'n'], ['rejected', L('拒绝', 'Rejected'), whole, 'n'], ['counts', L('计入', 'Counts'), (value) => (value ? L('是', 'yes') : L('否', 'no'))]], '-vintage');

const rejects = () => listed(12, L('被拒绝的行', 'Rejected lines'), 'rejects', [['vintage', L('版本', 'Vintage'), null, 'n'], ['file', L('文件', 'File')], ['line', L('行', 'Line'), whole, 'n'], ['rule', L('规则', 'Rule'), rule],
  ['column', L('列', 'Column')], ['text', L('原文', 'Text'), (value, row) => h('code', {}, value ?? row.raw ?? '')]], '-vintage');

const vintages = () => listed(12, L('版本', 'Vintages'), 'vintages', [['vintage', L('版本', 'Vintage'), null, 'n'], ['publication', L('发布', 'Publication'), null, 'n'], ['file', L('文件', 'File')], ['month', L('月份', 'Month')],
  ['committed_at', L('提交日', 'Committed'), day], ['is_stored', L('存有表格', 'Tables stored'), (value) => (value ? L('是', 'yes') : L('否', 'no'))]], '-vintage');
