// The page: header, one view, footer. A view is a module that is loaded when it is first shown.
import {forget, headers, token} from './core/api.js';
import {h, icon, s} from './core/dom.js';
import {announce, blank} from './core/figure.js';
import {day, minute} from './core/format.js';
import {home, readHome} from './core/home.js';
import {searchBox} from './core/search.js';
import {followLinks, go, href, onChange, state} from './core/state.js';
import {L, SPANS, yearMonth} from './core/words.js';

const VIEWS = [
  ['overview', () => L('概览', 'Overview')],
  ['destinations', () => L('目的地', 'Destinations')],
  ['cities', () => L('城市', 'Cities')],
  ['sources', () => L('信息来源', 'Sources')],
  ['estimates', () => L('估计', 'Estimates')],
  ['revisions', () => L('修订', 'Revisions')],
  ['report', () => L('月报', 'Report')],
  ['feed', () => L('数据', 'Feed')],
  ['explain', () => L('分解', 'Explain')],
];

const byId = (id) => document.getElementById(id);

function mark() {
  return s('svg', {width: 26, height: 22, viewBox: '0 0 26 22', fill: 'none', 'aria-hidden': 'true'},
    s('path', {d: 'M5 16C7 5 17 3 21 8', stroke: 'var(--now)', 'stroke-width': 2}),
    s('circle', {cx: 5, cy: 16, r: 4, fill: 'var(--ink)'}),
    s('circle', {cx: 21, cy: 9, r: 4, fill: 'var(--bg)', stroke: 'var(--ink)', 'stroke-width': 2}),
    s('circle', {cx: 16, cy: 18, r: 1.8, fill: 'var(--rule2)'}));
}

const links = () => VIEWS.map(([name, label]) =>
  h('a', {href: href({p: name, key: null, sort: null}), 'aria-current': name === state.p ? 'page' : null}, label()));

function header() {
  const isDark = state.theme === 'dark';
  const other = state.lang === 'zh' ? 'en' : 'zh';
  const languages = h('a.lang', {href: href({lang: other})},
  state.lang === 'zh' ? [h('b', {}, '中文'), ' / EN'] : ['中文 / ', h('b', {}, 'EN')]);
  const theme = h('button.iconb', {type: 'button', 'aria-label': L('深色 / 浅色', 'Dark / light'),
    onclick: () => go({theme: isDark ? 'light' : 'dark'}, {keep: true})}, icon(isDark ? 'sun' : 'moon', 18));
  return h('header', {},
    h('div.wrap', {}, h('div.top', {},
      h('a.brand', {href: href({p: 'overview', key: null})}, mark(), h('span', {}, L('外溢监测', 'Spillover monitor'))),
      h('nav.main', {'aria-label': L('主导航', 'Main')}, links()),
      searchBox(), h('div.tools', {}, languages, theme))),
    h('div.hnav', {}, h('nav', {'aria-label': L('主导航', 'Main')}, links())),
    statusStrip());
}

function statusStrip() {
  if (!home.isReady) return h('div.status', {}, h('div.wrap', {}, h('span.item', {}, ' ')));
  const {lastYear, lastMonth} = home;
  const item = (label, ...value) => h('span.item', {}, label, ...value);
  const months = lastYear && h('span.months', {role: 'img',
    'aria-label': L('{0}年 12 个月中已关账 {1} 个月', '{1} of 12 months of {0} closed', lastYear, lastMonth)},
  h('i.w' + (lastMonth >= 2 ? '.c' : ''), {}), Array.from({length: 10}, (_, place) => h(place + 3 <= lastMonth ? 'i.c' : 'i', {})));
  const isOpen = lastMonth && lastMonth < 12;
  return h('div.status', {}, h('div.wrap', {},
    item(L('最新月份', 'Newest month'), h('b', {}, lastYear ? yearMonth(lastYear, lastMonth) : '–')),
    item(L('版本', 'Vintage'), h('b', {}, `${home.vintage ?? '–'}`), h('span.hidem', {}, day(home.committedAt) ?? '')),
    isOpen && item('', h('span.chip', {}, L('暂定', 'Provisional')), months, h('span', {}, L('年度未关账，{0}/12', '{0}/12 closed', lastMonth))),
    home.nextMonth && item(L('下一月份', 'Next month'), h('b', {}, yearMonth(...home.nextMonth.split('-').map(Number)))),
    home.status.held_until && item(L('新发布保留至', 'New publication held until'), h('b', {}, minute(home.status.held_until))),
    h('span.sp', {}),
    item('', h('label', {for: 'asof'}, L('截至', 'As of')), asOf())));
}

function asOf() {
  const newest = home.newest;
  const stored = home.vintages.filter((of) => of.is_stored).toReversed();
  const option = (of) => h('option', {value: of.vintage, selected: of.vintage === home.vintage},
    of.vintage === newest ? L('版本 {0}（最新）', '{0} (latest)', of.vintage) : `${of.vintage} · ${of.file ?? ''}`);
  return h('select.sel', {id: 'asof', onchange: (event) => {
    const vintage = Number(event.target.value);
    go({as_of: vintage === newest ? null : String(vintage)});
  }}, stored.length ? stored.map(option) : h('option', {}, '–'));
}

/** Says that the page shows an old vintage. */
function oldBar() {
  if (!state.as_of || home.vintage === home.newest) return null;
  const later = home.vintages.filter((of) => of.vintage > home.vintage).length;
  return h('p.bar.old', {}, h('span', {}, h('b', {}, L('截至版本 {0}', 'As of vintage {0}', state.as_of)), ' ',
    L('此后有 {0} 个版本。', '{0} vintages have followed.', later)),
  h('span', {}, h('a', {href: href({as_of: null})}, L('回到最新', 'Back to the latest')), '　',
    h('a', {href: href({p: 'revisions', key: null, as_of: null, v1: home.vintage, v2: home.newest})}, L('与最新比较', 'Compare'))));
}

function footer() {
  return h('footer.wrap', {}, h('div.foot', {}, h('div.grid', {},
    h('p.s4', {}, h('b', {}, L('单位', 'Units')), ' ', L('对数点：对数差乘以 100；+10 对数点约等于 +10.5%。持续出口企业：本期与上年同期均有出口的工厂。密度 D：每平方千米企业数的对数。', 'Log points: 100 times the log difference; +10 log points is about +10.5%. Continuing exporters: plants with exports in the period and in the same months a year earlier. Density D: log exporters per km².')),
    h('p.s4', {}, h('b', {}, L('口径', 'Coverage')), ' ', L('不含香港，不含贸易中介。1月与2月合并显示。', 'Excludes Hong Kong and trade intermediaries. January and February are shown together.')),
    h('p.s4', {}, h('b', {}, L('接口', 'Data')), ' ', h('a', {href: 'api/v1/openapi.json', target: '_blank'}, 'OpenAPI'), ' · ',
      h('a', {href: 'sdmx/v2/structure/dataflow', target: '_blank'}, 'SDMX'), ' · ',
      L('永久链接含版本、窗口与语言。', 'Permalinks hold vintage, window and language.')))));
}

/** The switch between spans. */
export function spanSwitch() {
  return h('div.seg', {role: 'radiogroup', 'aria-label': L('窗口', 'Window')}, SPANS.map(([name, label]) =>
    h('button', {type: 'button', role: 'radio', 'aria-checked': String(state.w === name), onclick: () => go({w: name}, {keep: true})}, label())));
}

/** Asks for the access token; it stays in this tab. */
function tokenForm() {
  const send = (event) => {
    event.preventDefault();
    token.set(new FormData(event.target).get('token').trim());
    forget();
    render();
  };
  return h('form.fields', {onsubmit: send}, h('h1', {style: 'flex-basis:100%'}, L('需要访问令牌', 'An access token is needed')),
    h('label.field', {}, L('令牌', 'Token'), h('input', {name: 'token', type: 'password', autocomplete: 'current-password', required: true})),
    h('button.primary', {type: 'submit'}, L('进入', 'Enter')));
}

let turn = 0;

async function render() {
  const own = ++turn;
  document.documentElement.lang = state.lang === 'zh' ? 'zh-CN' : 'en';
  document.documentElement.dataset.theme = state.theme;
  byId('skip').textContent = L('跳到正文', 'Skip to content');
  delete document.body.dataset.ready;
  const content = byId('content');
  try {
    await readHome();
  } catch (error) {
    if (own !== turn) return;
    byId('header').replaceChildren(header());
    if (error.status === 401) {
      content.replaceChildren(tokenForm());
      document.body.dataset.ready = '1';
      return;
    }
    const until = error.code === 'held' && error.held_until;
    content.replaceChildren(until ? blank(L('发布保留至 {0}。', 'The publication is held until {0}.', minute(until)), '')
      : blank(L('读不到数据库。', 'The home cannot be read.'), error.message, 'spillover ingest feed/'));
    document.body.dataset.ready = '1';
    return;
  }
  const [name, label] = VIEWS.find(([view]) => view === state.p) ?? VIEWS[0];
  document.title = `${label()} · ${L('外溢监测', 'Spillover monitor')}`;
  const {default: view} = await import(`./views/${name}.js`);
  const nodes = await view({spanSwitch}).catch((error) => { console.error(error); return [blank(L('无法显示。', 'This cannot be shown.'), error.message)]; });
  if (own !== turn) return;
  byId('header').replaceChildren(header());
  content.replaceChildren(...[oldBar(), nodes].flat().filter(Boolean));
  byId('footer').replaceChildren(footer());
  document.body.dataset.ready = '1';
}

/** A new publication shows a bar; figures change only when the reader asks. */
function follow() {
  const news = (event) => {
    const vintage = event ? JSON.parse(event.data).vintage : null;
    if (state.as_of || (vintage != null && vintage <= home.newest)) return;
    tell(L('有新的发布。', 'There is a new publication.'));
  };
  const tell = (text) => {
    byId('news')?.remove();
    const show = () => { forget(); byId('news')?.remove(); render(); };
    byId('content').prepend(h('p.bar', {id: 'news', role: 'status'},
      h('b', {}, text),
      h('button.link', {type: 'button', onclick: show}, L('改看最新', 'Show the latest'))));
  };
  const look = async () => {
    const answer = await fetch('api/v1/status', {headers: headers()}).then((of) => of.json()).catch(() => null);
    if (answer?.newest_vintage && answer.newest_vintage !== home.newest) news(null);
  };
  // A stream of events cannot send a token: the page looks once a minute instead.
  if (token.get()) return setInterval(look, 60_000);
  const source = new EventSource('events');
  source.addEventListener('publication', news);
  source.addEventListener('alert', () => state.as_of || tell(L('有新的预警。', 'There is a new alert.')));
  source.addEventListener('resync', look);
}

function keys(event) {
  if (event.target.closest('input,select,textarea') || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === '/') { event.preventDefault(); byId('search').focus(); }
  if (event.key === 'w') {
    const names = SPANS.map(([name]) => name);
    go({w: names[(names.indexOf(state.w) + 1) % names.length]}, {keep: true});
  }
  if (event.key === '?') announce(L('/ 搜索，t 表格，w 窗口', '/ search, t table, w window'));
}

let resized;
window.addEventListener('resize', () => { clearTimeout(resized); resized = setTimeout(render, 200); });
document.addEventListener('keydown', keys);
followLinks(document.body);
onChange(render);
render().then(follow);
