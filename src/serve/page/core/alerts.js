// Alerts: those that are raised, and their history.
import {atVintage, forget, get, headers, rowsOf, token} from './api.js';
import {h} from './dom.js';
import {announce, blank, figure} from './figure.js';
import {arrow, day, signClass} from './format.js';
import {home} from './home.js';
import {go} from './state.js';
import {sortable} from './tables.js';
import {isChinese, L} from './words.js';

const MAX = 2000;
const CONDITIONS = {
  level: () => L('水平', 'Level'), change: () => L('变化（对比）', 'Change (contrast)'), sign: () => L('符号', 'Sign'), z: () => L('偏离往年', 'Deviation'),
  breadth: () => L('扩散度', 'Breadth'), revision: () => L('修订', 'Revision'), feed: () => L('数据源', 'Feed'), stale: () => L('过时', 'Stale'),
};
const condition = (name) => CONDITIONS[name]?.() ?? name;
const sentence = (row) => (isChinese() ? row.text_zh : row.text) ?? '–';
const monthOf = (row) => (row.month == null ? '–' : `${row.year}-${String(row.month).padStart(2, '0')}`);
const stateOf = (row) => (row.state === 'cleared' ? L('已解除', 'cleared') : row.acknowledged_at ? L('已确认', 'acknowledged') : L('持续', 'raised'));

/** The mark of the side and the sentence. */
const said = (row) => [h('span.g.' + signClass(row.value), {'aria-hidden': 'true'}, arrow(row.value) || '•'), h('span.t', {}, sentence(row))];

/** The request of alerts, raised ones or all. */
const asked = (isOpen) => atVintage({state: isOpen ? 'raised' : null, sort: '-vintage', limit: 1000});

const read = async (isOpen) => (await rowsOf('alerts', asked(isOpen), MAX)).rows;

async function acknowledge(id) {
  const answer = await fetch(`api/v1/alerts/${encodeURIComponent(id)}/ack`, {method: 'POST', headers: headers({Accept: 'application/json'})}).catch(() => null);
  announce(answer?.ok ? L('预警已确认', 'Alert acknowledged') : L('未能确认', 'Not acknowledged'));
  if (!answer?.ok) return;
  forget();
  go({}, {keep: true});
}

/** A button for readers with a token: acknowledging is the one change that the service takes. */
const button = (row) => (token.get() && row.state === 'raised' && !row.acknowledged_at
  ? h('button.link', {type: 'button', 'aria-label': L('确认预警 {0}', 'Acknowledge alert {0}', row.id), onclick: () => acknowledge(row.id)}, L('确认', 'Acknowledge')) : null);

const tableOf = (rows) => ({head: [L('月份', 'Month'), L('规则', 'Rule'), L('条件', 'Condition'), L('版本', 'Vintage'), L('状态', 'State'), L('说明', 'Sentence')],
  rows: rows.map((row) => [monthOf(row), row.rule, condition(row.condition), String(row.vintage), stateOf(row), sentence(row)])});

const none = (isOpen) => blank(isOpen ? L('没有持续的预警。', 'No alert is raised.') : L('没有预警。', 'There are no alerts.'),
  home.status?.alerts ? L('规则已评估至版本 {0}。', 'Rules are evaluated up to vintage {0}.', home.status.alerts.vintage)
    : L('监视进程按主目录中 alerts.toml 的规则评估每次发布。', 'The watcher evaluates the rules of alerts.toml in the home at each publication.'));

const source = (isOpen) => ({path: 'alerts', parameters: {state: isOpen ? 'raised' : null}});

/** The alerts that are raised, newest first. */
export function openAlerts(columns) {
  return figure({columns, title: L('预警', 'Alerts'), sub: L('持续中的预警；q 为同一规则、层级与月份内的调整 p 值', 'Raised alerts; q is the adjusted p-value within rule, level and month'),
    source: source(true), minHeight: 80, load: async () => {
      const rows = await read(true);
      if (!rows.length) return {body: none(true)};
      const line = (row) => h('li', {}, ...said(row), h('span.a', {}, monthOf(row)),
        h('span.d', {}, condition(row.condition), ' · ', stateOf(row), ' ', button(row)));
      return {table: tableOf(rows), body: h('ol.alerts', {}, rows.slice(0, 12).map(line)),
        note: rows.length > 12 ? h('span', {}, L('共 {0} 条，全部见“数据”页。', '{0} alerts; the view Feed has all of them.', rows.length)) : null};
    }});
}

/** All alerts, with their times. */
export function alertHistory(columns) {
  const title = L('预警历史', 'History of alerts');
  return figure({columns, title, sub: L('触发与解除，按版本', 'Raised and cleared, by vintage'), source: source(false), minHeight: 120, load: async () => {
    const rows = await read(false);
    if (!rows.length) return {body: none(false)};
    const whole = (of) => (row) => h('span', {style: 'white-space:nowrap'}, of(row));
    const fields = [['vintage', L('版本', 'Vintage'), (row) => row.vintage, true], ['month', L('月份', 'Month'), whole(monthOf)], ['rule', L('规则', 'Rule'), (row) => row.rule],
      ['condition', L('条件', 'Condition'), (row) => condition(row.condition)], ['state', L('状态', 'State'), whole(stateOf)], ['raised_at', L('触发日', 'Raised'), whole((row) => day(row.raised_at) ?? '–')],
      ['text', L('说明', 'Sentence'), sentence], ['id', L('确认', 'Acknowledge'), button]];
    return {table: tableOf(rows), body: sortable({rows, by: '-vintage', label: title, columns: fields.map(([name, label, cell, isNumber]) =>
      ({name, label, isText: !isNumber, value: name !== 'id' ? (row) => (isNumber ? row[name] : String(row[name] ?? '')) : null, cell}))})};
  }});
}

/** The sentences of alerts about a month, for the report. */
export async function alertsOf(year, month) {
  const rows = await get('alerts', asked(true)).then((answer) => answer.rows).catch(() => []);
  const own = rows.filter((row) => row.month == null || (row.year === year && row.month === month));
  return h('section', {}, h('h2', {}, L('预警', 'Alerts')), own.length
    ? h('ol.alerts', {}, own.map((row) => h('li', {}, ...said(row)))) : h('p', {}, L('本月没有持续的预警。', 'No alert about the month is raised.')));
}
