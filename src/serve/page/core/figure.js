// The frame of every figure: title, unit, body, source; and what a reader can do with it: see it as
// a table (t), download it, copy it, cite it.
import {address, atVintage, headers, token} from './api.js';
import {h, icon, s} from './dom.js';
import {day} from './format.js';
import {exportable, rasterised} from './picture.js';
import {href, state} from './state.js';
import {home} from './home.js';
import {L} from './words.js';

const FORMATS = [['CSV', '.csv'], ['XLSX', '.xlsx'], ['Parquet', '.parquet'], ['JSON', '.json']];
let shown = 0;

/**
 * A figure. `load` gives, at once or later, `{body, table, claim, note}`; `table` is
 * `{head: [text], rows: [[text]]}`. `source` is the request behind the figure.
 */
export function figure({columns = 6, title, sub, load, source, definition, extra, minHeight = 220}) {
  const id = `f${++shown}`;
  const body = h('div.body', {style: `min-height:${minHeight}px`});
  const foot = h('footer');
  const frame = h('figure.fig.s' + columns, {'aria-labelledby': id, tabindex: -1},
    h('header', {},
      h('div', {}, h('h2', {id}, title), sub && h('p.sub', {}, sub)),
      extra, h('div.acts', {role: 'group', 'aria-label': L('图的操作', 'Figure actions')})),
    body, foot);
  const context = {title, definition, source, frame, body, foot, content: {}};
  fillActions(context);
  start(context, load);
  return frame;
}

async function start(context, load) {
  const {frame, body, foot} = context;
  const waiting = setTimeout(() => {
    body.replaceChildren(skeleton());
    foot.textContent = L('正在取版本 {0} …', 'Loading vintage {0} …', state.as_of ?? home.vintage ?? '');
  }, 300);
  frame.setAttribute('aria-busy', 'true');
  try {
    context.content = (await load()) || {};
    body.style.minHeight = '';
    show(context);
  } catch (error) {
    body.replaceChildren(failure(error, () => start(context, load)));
    foot.replaceChildren();
    if (!error.code) console.error(error);
  } finally {
    clearTimeout(waiting);
    frame.removeAttribute('aria-busy');
  }
}

function show(context) {
  const {body, foot, content, isTable} = context;
  const {claim, note, table} = content;
  body.replaceChildren(...[isTable && table ? tableOf(table) : content.body].flat().filter(Boolean));
  foot.replaceChildren(...[claim && h('div.claim', {}, claim), sourceLine(context), note && h('span.remark', {}, note)].flat().filter(Boolean));
}

function sourceLine({definition}) {
  const vintage = state.as_of ?? home.vintage;
  const base = L('来源：海关进出口记录，版本 {0}', 'Source: customs records, vintage {0}', vintage ?? '–');
  const of = definition ? L('；定义 {0}', '; definition {0}', definition) : '';
  return h('span.src', {}, base + of, ' ');
}

function tableOf({head, rows}) {
  const cell = (text, place) => h(place ? 'td.n' : 'td', {}, text ?? '–');
  return h('div.scroll', {tabindex: 0}, h('table', {},
    h('thead', {}, h('tr', {}, head.map((text, place) => h(place ? 'th.n' : 'th', {scope: 'col'}, text)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map(cell))))));
}

function fillActions(context) {
  const acts = context.frame.querySelector('.acts');
  const button = (name, label, onclick) =>
    h('button', {type: 'button', title: label, 'aria-label': `${label}: ${context.title}`, onclick}, icon(name));
  acts.append(
    button('table', L('表格 (t)', 'Table (t)'), () => toggleTable(context)),
    button('down', L('下载', 'Download'), (event) => popup(event, context, downloads(context))),
    button('copy', L('复制', 'Copy'), () => copyTable(context)),
    button('cite', L('引用', 'Cite'), (event) => popup(event, context, citation(context))));
  context.frame.addEventListener('keydown', (event) => {
    if (event.key === 't' && !event.target.closest('input,select')) toggleTable(context);
  });
}

function toggleTable(context) {
  if (!context.content.table) return;
  context.isTable = !context.isTable;
  show(context);
}

function copyTable({content}) {
  if (!content.table) return;
  const lines = [content.table.head, ...content.table.rows];
  const text = lines.map((line) => line.map((cell) => cell ?? '').join('\t')).join('\n');
  navigator.clipboard?.writeText(text);
  announce(L('表格已复制', 'Table copied'));
}

/** Says something to readers of a screen. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}

function popup(event, context, content) {
  const opener = event.currentTarget;
  const open = context.frame.querySelector('.pop');
  open?.remove();
  if (open?.dataset.of === opener.title) return;
  const close = () => { pop.remove(); opener.focus(); };
  const pop = h('div.pop', {role: 'dialog', 'aria-label': opener.title, 'data-of': opener.title,
    onkeydown: (key) => key.key === 'Escape' && close()}, content);
  context.frame.querySelector('header').after(pop);
  pop.querySelector('a,button')?.focus();
}

function downloads(context) {
  const name = `${state.p}-${state.key || 'all'}`;
  const links = context.source ? FORMATS.map(([label, suffix]) => {
    const {path, parameters} = context.source;
    const wanted = atVintage({...parameters, names: undefined});
    const href_ = address(path, wanted, suffix);
    return h('a', {href: href_, download: true, onclick: (event) => { if (token.get()) { event.preventDefault(); fetched(href_, `${name}${suffix}`); } }}, label);
  }) : [];
  const chart = context.body.querySelector('svg[data-chart]') ?? context.body.querySelector('svg');
  const pictures = chart ? ['SVG', 'PNG'].map((kind) => h('a', {
    href: '#', onclick: (event) => { event.preventDefault(); savePicture(chart, kind, name, context); },
  }, kind)) : [];
  return [h('p', {}, h('b', {}, L('下载：{0}', 'Download: {0}', context.title))), h('p.dl', {}, links, pictures),
    h('p.mut', {}, L('数值为对数差，含版本、定义与单位。', 'Values are differences of logs, with vintage, definitions and units.'))];
}

/** A download of a service that asks for a token: links cannot send one. */
async function fetched(url, name) {
  const answer = await fetch(url, {headers: headers()});
  if (answer.ok) save(await answer.blob(), name);
}

/** Opens a page of a service that asks for a token: links cannot send one. */
export async function opened(event, url) {
  if (!token.get()) return;
  event.preventDefault();
  const answer = await fetch(url, {headers: headers()});
  if (answer.ok) window.open(URL.createObjectURL(await answer.blob()), '_blank');
}

function save(blob, name) {
  const link = h('a', {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function savePicture(chart, kind, name, context) {
  const lines = [context.title, context.frame.querySelector('.sub')?.textContent, context.foot.textContent];
  const svg = exportable(chart, lines.filter(Boolean));
  const blob = kind === 'SVG' ? new Blob([svg.text], {type: 'image/svg+xml'}) : await rasterised(svg);
  save(blob, `${name}.${kind.toLowerCase()}`);
}

function citation(context) {
  const vintage = state.as_of ?? home.vintage;
  const link = location.origin + location.pathname + href({as_of: vintage}, {cited: true});
  const text = L('外溢监测，“{0}”，版本 {1}（{2}）{3}。{4}', 'Spillover monitor, "{0}", vintage {1} ({2}){3}. {4}',
    context.title, vintage, day(home.committedAt) ?? '–',
    context.definition ? L('，定义 {0}', ', definition {0}', context.definition) : '', link);
  const bibtex = `@misc{spillover-${vintage},\n  title = {${context.title}},\n  note = {Spillover monitor, vintage ${vintage}},\n` +
    `  year = {${(day(home.committedAt) ?? '').slice(0, 4)}},\n  url = {${link}}\n}`;
  const copy = (label, value) => h('button.link', {type: 'button', onclick: () => {
    navigator.clipboard?.writeText(value);
    announce(L('已复制', 'Copied'));
  }}, label);
  return [h('p', {}, h('b', {}, L('引用', 'Cite'))), h('pre', {}, text),
    h('p.dl', {}, copy(L('复制', 'Copy'), text), copy('BibTeX', bibtex), copy(L('复制链接', 'Copy link'), link))];
}

function skeleton() {
  const line = (y) => s('line', {x1: 30, x2: 350, y1: y, y2: y, stroke: 'var(--grid)'});
  return s('svg', {width: 416, height: 220, viewBox: '0 0 416 220', 'aria-hidden': 'true', style: 'max-width:100%'},
    [10, 60, 110, 160, 210].map(line));
}

/** A part of a page that cannot be shown: what is missing and what to do. */
export function blank(title, text, command) {
  return h('div.blank', {}, h('p', {}, h('b', {}, title), ' ', text), command && h('pre', {}, command));
}

function failure(error, retry) {
  const title = L('无法显示。', 'This cannot be shown.');
  return h('div.blank', {role: 'alert'}, h('p', {}, h('b', {}, title), ' ', error.message),
    h('p.mut', {}, [error.code, error.status, L('版本 {0}', 'vintage {0}', state.as_of ?? home.vintage ?? '–')]
      .filter(Boolean).join(' · '), ' · ',
    h('button.link', {type: 'button', onclick: retry}, L('重试', 'Retry'))));
}
