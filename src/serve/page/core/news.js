// What moved since the last publication: the steps between two vintages, adding up exactly.
import {cellBar} from '../charts/sparks.js';
import {get} from './api.js';
import {h, isNarrow} from './dom.js';
import {blank, figure} from './figure.js';
import {points, signClass, signed} from './format.js';
import {home, vintageBefore} from './home.js';
import {L} from './words.js';

const STEPS = [
  ['late', () => L('迟报记录', 'Late records')],
  ['amended', () => L('修改、撤销、替换', 'Amended, withdrawn, replaced')],
  ['closed', () => L('新关账的月份', 'Months closed')],
  ['coefficients', () => L('系数', 'Coefficients')],
];
const PARTS = [
  ['indicators', () => L('指标', 'Indicators')],
  ['weights', () => L('权重', 'Weights')],
  ['coefficients', () => L('系数', 'Coefficients')],
];

/** The figure with the news of an effect; `level` and `key` choose the unit. */
export function newsTable(columns, {level = 'nation', key = 'all', v1, v2} = {}) {
  const from = v1 ?? vintageBefore();
  const to = v2 ?? home.vintage;
  const parameters = {before: from, as_of: to, level, key: level === 'nation' ? null : key};
  return figure({columns, title: L('本次发布改变了什么', 'What moved since the last publication'),
    sub: L('版本 {0} 到 {1}，隐含贡献，对数点；各步按此顺序，合计精确', 'Vintage {0} to {1}, implied contribution, log points; steps in this order add up exactly', from ?? '–', to ?? '–'),
    definition: L('列 3.4', 'column 3.4'), source: {path: 'news', parameters},
    load: async () => {
      if (from == null) return {body: blank(L('没有上一次发布。', 'There is no earlier publication.'), '')};
      let rows;
      try {
        rows = (await get('news', parameters)).rows;
      } catch (error) {
        if (error.status === 0) throw error;
        return {body: blank(L('没有可分解的变动。', 'There is no change to take apart.'), error.message)};
      }
      if (!rows.length) return {body: blank(L('没有可分解的变动。', 'There is no change to take apart.'), L('两个版本中至少一个没有此单位的隐含贡献。', 'At least one of the vintages has no contribution of this unit.'))};
      return steps(rows);
    }});
}

function steps(rows) {
  const sum = (step, part) => points(rows.filter((row) => (!step || row.step === step) && (!part || row.part === part)).reduce((all, row) => all + row.delta, 0));
  const most = Math.max(...STEPS.flatMap(([step]) => [Math.abs(sum(step)), ...PARTS.map(([part]) => Math.abs(sum(step, part)))]), 1e-9);
  const cell = (value, isBar) => h('td.n', {}, isBar && !isNarrow() ? cellBar(value, most, {width: 76}) : null,
    h('span.' + signClass(value), {style: 'display:inline-block;min-width:58px'}, signed(value, 3)));
  const line = (name, step) => h(step ? 'tr' : 'tr.sum', {}, h('td', {}, name), PARTS.map(([part]) => cell(sum(step, part), false)), cell(sum(step), true));
  const head = [L('步骤', 'Step'), ...PARTS.map(([, label]) => label()), L('合计', 'Sum')];
  return {table: {head, rows: [...STEPS.map(([step, label]) => [label(), ...PARTS.map(([part]) => signed(sum(step, part), 3)), signed(sum(step), 3)]),
    [L('变动', 'Change'), ...PARTS.map(([part]) => signed(sum(null, part), 3)), signed(sum(), 3)]]},
  body: h('div.scroll', {tabindex: 0}, h('table', {}, h('thead', {}, h('tr', {}, head.map((text, place) => h(place ? 'th.n' : 'th', {scope: 'col'}, text)))),
    h('tbody', {}, STEPS.map(([step, label]) => line(label(), step)), line(L('变动', 'Change'), null))))};
}
