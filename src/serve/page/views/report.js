// Report: one month for a briefing, in one language, made to be printed.
import {alertsOf} from '../core/alerts.js';
import {blank, opened} from '../core/figure.js';
import {address, atVintage} from '../core/api.js';
import {columnWidth, h} from '../core/dom.js';
import {effects, names, series, stamp, units} from '../core/data.js';
import {dollars, num, percent, points, signed, whole} from '../core/format.js';
import {home} from '../core/home.js';
import {newsTable} from '../core/news.js';
import {state} from '../core/state.js';
import {yearLines} from '../charts/years.js';
import {L, spanName, yearMonth} from '../core/words.js';
import {band, claim} from './overview.js';
import {empty, ofSpan, toLines} from './shared.js';

export default async function report({spanSwitch}) {
  const none = empty();
  if (none) return none;
  const {year, month} = home;
  const span = state.w;
  const [rows, cities, countries, of, live] = await Promise.all([series('nation', 'all'), units('city', year, month, span), units('country', year, month, span), names(), effects({level: 'nation', span: 'ytd', month: stamp(year, month), band: true})]);
  const own = ofSpan(rows, span);
  const now = own.find((row) => row.year === year && row.month === month);
  if (!now) return [blank(L('本月没有此窗口的数字。', 'There are no figures of this window for the month.'), '')];
  const ago = own.find((row) => row.year === year - 1 && row.month === month);
  const effect = live[0];
  const ends = (units_, name) => {
    const ordered = units_.filter((row) => row.growth != null && row.continuing >= 10).sort((a, b) => b.growth - a.growth).map((row) => `${name(row.key)} ${signed(points(row.growth))}`);
    return [ordered.slice(0, 3), ordered.slice(-3).reverse()].map((list) => list.join(L('、', ', ')));
  };
  const [highCities, lowCities] = ends(cities, of.city);
  const [highCountries, lowCountries] = ends(countries, of.country);
  const sentences = [
    L('{0}，持续出口企业平均增长 {1} 对数点（95% 误差 ±{2}）{3}。', '{0}: continuing exporters grew {1} log points on average (±{2}, 95%){3}.', spanName(span, year, month), signed(points(now.growth)), num(1.96 * points(now.growth_se)),
      ago ? L('，上年同期为 {0}', '; {0} in the same months a year ago', signed(points(ago.growth))) : ''),
    L('出口额 {0}，增长 {1}%；进入 {2} 个出口关系，退出 {3} 个。', 'Exports {0}, value growth {1}%; {2} relations entered, {3} left.', dollars(Number(now.export_value)), signed(percent(now.value_growth)), whole(now.entrants), whole(now.exits)),
    now.affiliate_growth_weighted_by_exports != null && L('企业其他工厂所在城市的出口企业增长 {0} 对数点。', 'Exporters in the cities of other plants grew {0} log points.', signed(points(now.affiliate_growth_weighted_by_exports))),
    effect && L('模型隐含贡献 {0} 对数点，95% 区间 {1} 至 {2}。', 'Model-implied contribution {0} log points, 95% band {1} to {2}.', signed(points(effect.effect), 2), num(points(band(effect)[0]), 2), num(points(band(effect)[1]), 2)),
    highCities && L('增长最高的城市：{0}；最低：{1}。', 'Highest cities: {0}; lowest: {1}.', highCities, lowCities),
    highCountries && L('增长最高的目的地：{0}；最低：{1}。', 'Highest destinations: {0}; lowest: {1}.', highCountries, lowCountries),
  ].filter(Boolean);
  const alerts = await alertsOf(year, month);
  const lines = toLines(own, 'growth');
  const page = address('report', atVintage({month: stamp(year, month), span, lang: state.lang}));
  const file = h('a', {href: page, target: '_blank', onclick: (event) => opened(event, page)}, L('单独的一页', 'One page for print'));
  return [h('article.report', {}, h('div.phead', {}, h('div.l', {}, h('p.kicker', {}, L('外溢监测月报 · 版本 {0}', 'Spillover monitor, monthly report · vintage {0}', home.vintage)), h('h1', {}, L('{0}月报', 'Report for {0}', yearMonth(year, month))),
    h('ol.sentences', {}, sentences.map((text) => h('li', {}, text)))), h('div.r.noprint', {}, spanSwitch(), file, h('button.primary', {type: 'button', onclick: () => window.print()}, L('打印或存为 PDF', 'Print or save as PDF')))),
  h('section', {}, h('h2', {}, L('本地增长', 'Local growth')), h('p.sub', {}, L('持续出口企业对数增长均值，对数点', 'Mean log growth of continuing exporters, log points')), yearLines({data: lines, year, width: Math.min(columnWidth(12), 860), height: 320, label: L('本地增长', 'Local growth')})),
  newsTable(12), alerts,
  h('section', {}, h('h2', {}, L('方法与限度', 'Method and limits')), h('p', {}, L('增长为本期与上年同期均有出口的工厂对数增长的均值，式 (L4)；异地增长见式 (13)。数字来自海关进出口记录，随迟报与修改而修订；版本号固定全部数字。', 'Growth is the mean log growth of plants with exports in the period and in the same months a year earlier, equation (L4); affiliate growth is equation (13). Figures come from customs records and are revised by late and amended records; the vintage fixes all of them.')),
    effect && h('p', {}, claim(effect))))];
}
