// Search by code or name: Chinese, pinyin, English, ISO and customs codes.
import {get} from './api.js';
import {h, icon} from './dom.js';
import {go} from './state.js';
import {L} from './words.js';

const PAGES = {city: 'cities', country: 'destinations'};

export function searchBox() {
  const list = h('ul.hits', {id: 'hits', role: 'listbox', 'aria-label': L('结果', 'Results'), hidden: true});
  const input = h('input', {id: 'search', type: 'search', autocomplete: 'off', role: 'combobox', 'aria-expanded': 'false',
    'aria-controls': 'hits', 'aria-autocomplete': 'list', placeholder: L('德国、苏州、304', 'Germany, Suzhou, 304'),
    'aria-label': L('搜索城市、目的地或代码', 'Search cities, destinations, codes')});
  let hits = [];
  let at = -1;
  let asked = 0;
  const close = () => { list.hidden = true; input.setAttribute('aria-expanded', 'false'); };
  const pick = (hit) => { close(); input.value = ''; go({p: PAGES[hit.kind], key: hit.code, sort: null}); };
  const mark = () => {
    [...list.children].forEach((item, place) => item.setAttribute('aria-selected', String(place === at)));
    if (at >= 0) input.setAttribute('aria-activedescendant', `hit${at}`);
    else input.removeAttribute('aria-activedescendant');
  };
  const find = async () => {
    const text = input.value.trim();
    const own = ++asked;
    if (!text) return close();
    const answer = await get('names', {q: text}).catch(() => ({rows: []}));
    if (own !== asked) return;
    hits = answer.rows.filter((hit) => PAGES[hit.kind]).slice(0, 8);
    at = hits.length ? 0 : -1;
    const kind = {city: L('城市', 'City'), country: L('目的地', 'Destination')};
    list.replaceChildren(...(hits.length ? hits.map((hit, place) => h('li', {id: `hit${place}`, role: 'option', onmousedown: (event) => { event.preventDefault(); pick(hit); }},
      h('span.k', {}, kind[hit.kind]), h('span', {}, `${hit.name_zh ?? ''} · ${hit.name_en ?? ''}`, h('span.code', {}, ` ${hit.code} ${hit.iso ?? ''}`)))) :
      [h('li', {role: 'option', 'aria-disabled': 'true'}, h('span.k', {}), h('span', {}, L('没有匹配', 'No match')))]));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    mark();
  };
  input.addEventListener('input', find);
  input.addEventListener('blur', close);
  input.addEventListener('keydown', (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step && hits.length) { event.preventDefault(); at = (at + step + hits.length) % hits.length; mark(); }
    if (event.key === 'Enter' && hits[at]) pick(hits[at]);
    if (event.key === 'Escape') { close(); input.blur(); }
  });
  return h('div.search', {role: 'search'}, icon('search'), input, h('kbd', {'aria-hidden': 'true'}, '/'), list);
}
