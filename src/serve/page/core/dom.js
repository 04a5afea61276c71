// Elements. Texts are text nodes, so that a name from the data can never be markup.
const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value == null || value === false) continue;
    if (name === 'style') element.style.cssText = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(9)) {
    if (child == null || child === false) continue;
    element.append(child.nodeType ? child : document.createTextNode(child));
  }
  return element;
}

/** `h('div.grid', {id: 'a'}, 'text')`. */
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length) element.className = classes.join(' ');
  return fill(element, attributes, children);
}

/** An element of SVG. */
export function s(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

const ICONS = {
  table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6',
  down: 'M8 2.5v7.5M4.8 7.2 8 10.4l3.2-3.2M3 13.5h10',
  copy: 'M5.5 5.5h7v8h-7zM3.5 10.5v-8h7',
  cite: 'M6.6 4.2C4.5 5 3.4 6.6 3.4 9v2.6h3.2V8.8H5M12.8 4.2C10.7 5 9.6 6.6 9.6 9v2.6h3.2V8.8h-1.6',
  search: 'M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8zM10.4 10.4l3.4 3.4',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
};

export const icon = (name, size = 16) =>
  s('svg', {
    width: size, height: size, viewBox: '0 0 16 16', fill: 'none', stroke: 'currentColor',
    'stroke-width': 1.4, 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true',
  }, s('path', {d: ICONS[name]}));

/** True below the width at which the columns become one. */
export const isNarrow = () => window.innerWidth < 900;

/** The width in pixels of a figure that spans columns of the grid. */
export function columnWidth(columns) {
  const margin = isNarrow() ? 20 : 72;
  const inner = Math.min(window.innerWidth - 2 * margin, 1296);
  if (isNarrow()) return Math.min(inner, 680);
  return (inner - 11 * 24) / 12 * columns + (columns - 1) * 24;
}
