// A chart as a file: its colours and fonts written out, with title and source.
const NAMES = ['fill', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'fill-opacity', 'font-size', 'font-weight', 'text-anchor', 'paint-order', 'opacity'];
const LINE = 18;

/** The chart as text of SVG that needs no style sheet; `lines` stand above and below. */
export function exportable(chart, lines) {
  const copy = chart.cloneNode(true);
  const [from, to] = [chart, copy].map((root) => [root, ...root.querySelectorAll('*')]);
  to.forEach((element, place) => {
    const style = getComputedStyle(from[place]);
    if (element.tagName === 'style') return element.remove();
    for (const name of NAMES) element.setAttribute(name, style.getPropertyValue(name));
    element.removeAttribute('class');
  });
  const box = chart.viewBox.baseVal;
  const [width, height] = [box.width || chart.clientWidth, box.height || chart.clientHeight];
  const style = getComputedStyle(document.body);
  const [title, ...rest] = lines;
  const source = rest.length > 1 ? rest.pop() : '';
  const top = 8 + LINE * (1 + rest.length) + 8;
  const whole = height + top + LINE + 14;
  const text = (content, y, size, weight = 400) =>
    `<text x="16" y="${y}" font-size="${size}" font-weight="${weight}" fill="${style.color}">${escaped(content)}</text>`;
  copy.setAttribute('x', 16);
  copy.setAttribute('y', top);
  copy.setAttribute('width', width);
  copy.setAttribute('height', height);
  copy.setAttribute('overflow', 'visible');
  const inner = new XMLSerializer().serializeToString(copy);
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" width="${width + 32}" height="${whole}" ` +
    `viewBox="0 0 ${width + 32} ${whole}" font-family="${escaped(style.fontFamily)}">` +
    `<rect width="100%" height="100%" fill="${style.backgroundColor}"/>` +
    text(title, 22, 15, 700) + rest.map((line, place) => text(line, 22 + LINE * (place + 1), 12)).join('') +
    inner + text(source, whole - 10, 11) + '</svg>';
  return {text: frame, width: width + 32, height: whole};
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'})[sign]);

/** A picture of SVG as PNG, with two pixels for each unit. */
export async function rasterised({text, width, height}) {
  const image = new Image();
  image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(text);
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}
