// What all charts share: type, colours by class, domains.
import {plot} from '../vendor/plot.js';
import {isChinese} from '../core/words.js';

const base = {
  style: {fontFamily: 'inherit', fontSize: '12px', background: 'none', color: 'var(--ink2)', overflow: 'visible', fontVariantNumeric: 'tabular-nums'},
};

/** The colour of a difference by nine classes, `step` being the width of a class near zero. */
export function divergent(value, step) {
  const size = Math.abs(value) / step;
  const place = size < 0.12 ? 0 : size < 0.5 ? 1 : size < 1 ? 2 : size < 2 ? 3 : 4;
  return place ? `var(--${value < 0 ? 'n' : 'p'}${place})` : 'var(--zero)';
}

/** A domain that covers values and zero, in round steps, with its ticks. */
export function domainOf(values, {count = 5, zero = true} = {}) {
  const known = values.filter((value) => value != null && Number.isFinite(value));
  if (zero || !known.length) known.push(0);
  let [low, high] = [Math.min(...known), Math.max(...known)];
  if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((of) => of * power).find((of) => of >= raw);
  const [from, to] = [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const ticks = Array.from({length: Math.round((to - from) / step) + 1}, (_, place) => from + place * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / power === 2.5 ? 1 : 0));
  return {domain: [from, to], ticks, digits: Math.min(digits, 6)};
}

/** The width of a text in pixels, about. */
export const textWidth = (text, size = 13) =>
  [...String(text)].reduce((sum, sign) => sum + (/[\u2e80-\uffff]/.test(sign) ? size : size * 0.56), 0);

/** Pixels for names at the left of a chart. */
export const nameWidth = (names, size = 13) => Math.min(Math.max(40, ...names.map((name) => textWidth(name, size))), isChinese() ? 130 : 150);

/** Moves places apart so that labels do not touch. */
export function apart(places, gap) {
  const moved = places.map((at, index) => ({at, index})).sort((a, b) => a.at - b.at);
  for (let round = 0; round < 60; round++) {
    for (let next = 1; next < moved.length; next++) {
      const over = gap - (moved[next].at - moved[next - 1].at);
      if (over > 0) {
        moved[next].at += over / 2;
        moved[next - 1].at -= over / 2;
      }
    }
  }
  const result = [];
  for (const {at, index} of moved) result[index] = at;
  return result;
}

/** A chart as one picture with one name; its parts have none. */
export function draw(label, options) {
  const chart = plot({...base, ...options});
  chart.setAttribute('data-chart', '');
  chart.setAttribute('role', 'img');
  chart.setAttribute('aria-label', label);
  for (const part of chart.querySelectorAll('[aria-label],[aria-description]')) {
    part.removeAttribute('aria-label');
    part.removeAttribute('aria-description');
  }
  return chart;
}
