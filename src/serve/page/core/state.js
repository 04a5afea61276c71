// The state of the page is its address: page, unit, span, vintage, language, theme, order.
// A link is a citation; defaults are left out.
const DEFAULTS = {p: 'overview', w: 'ytd', theme: 'light'};
const KNOWN = ['p', 'key', 'w', 'as_of', 'lang', 'theme', 'sort', 'table', 'v1', 'v2', 'what', 'month', 'q'];
const listeners = [];

const preferred = () => {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const zh = (navigator.languages || [navigator.language]).some((tag) => /^zh/i.test(tag));
  return {lang: zh ? 'zh' : 'en', theme: dark ? 'dark' : 'light'};
};

const read = () => {
  const query = new URLSearchParams(location.search);
  const given = Object.fromEntries(KNOWN.map((name) => [name, query.get(name)]).filter(([, value]) => value));
  return {...DEFAULTS, ...preferred(), ...given};
};

export let state = read();

/** The address of the page with some members changed; null removes one. */
export function href(changes = {}, {cited = false} = {}) {
  const next = {...state, ...changes};
  const query = new URLSearchParams();
  const base = {...DEFAULTS, ...preferred()};
  for (const name of KNOWN) {
    const value = next[name];
    const isDefault = value === base[name] && !(cited && name === 'lang');
    if (value != null && value !== '' && !isDefault) query.set(name, value);
  }
  const text = query.toString();
  return text ? `?${text}` : './';
}

/** Changes the state; `keep` leaves the entry of the history. */
export function go(changes, {keep = false} = {}) {
  history[keep ? 'replaceState' : 'pushState'](null, '', href(changes));
  update();
}

export const onChange = (listener) => listeners.push(listener);

function update() {
  const before = state;
  state = read();
  for (const listener of listeners) listener(before);
}

/** Links inside the page change the state without a new load. */
export function followLinks(root) {
  window.addEventListener('popstate', update);
  root.addEventListener('click', (event) => {
    const link = event.target.closest('a[href]');
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey);
    if (!link || !plain || link.target || link.hasAttribute('download')) return;
    const address = new URL(link.href, location.href);
    if (address.origin !== location.origin || address.pathname !== location.pathname) return;
    if (address.hash && address.search === location.search) return;
    event.preventDefault();
    history.pushState(null, '', address.search || './');
    update();
    window.scrollTo(0, 0);
  });
}
