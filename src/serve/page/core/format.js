// Numbers as people read them. Missing is an en dash, never zero.
import {isChinese} from './words.js';

const MINUS = '−';

export function num(value, digits = 1) {
  if (value == null) return '–';
  const shown = Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value;
  const options = {minimumFractionDigits: digits, maximumFractionDigits: digits};
  return shown.toLocaleString('en-US', options).replace('-', MINUS);
}

/** A number with its sign. */
export function signed(value, digits = 1) {
  if (value == null) return '–';
  if (Math.abs(value) < 0.5 * 10 ** -digits) return num(0, digits);
  return (value > 0 ? '+' : '') + num(value, digits);
}

export const whole = (value) => (value == null ? '–' : Math.round(value).toLocaleString('en-US').replace('-', MINUS));

/** A count for a tile, as number and unit. */
export function count(value) {
  if (value == null) return ['–', ''];
  if (isChinese()) {
    if (value >= 1e8) return [num(value / 1e8, 2), '亿'];
    return value >= 1e4 ? [num(value / 1e4, 2), '万'] : [whole(value), ''];
  }
  if (value >= 1e6) return [num(value / 1e6, 2), 'M'];
  return value >= 1e4 ? [num(value / 1e3, 1), 'K'] : [whole(value), ''];
}

/** US dollars. */
export function dollars(value) {
  if (value == null) return '–';
  if (isChinese()) {
    if (value >= 1e8) return `${num(value / 1e8, value < 1e9 ? 2 : 1)} 亿美元`;
    return value >= 1e4 ? `${num(value / 1e4, 1)} 万美元` : `${whole(value)} 美元`;
  }
  if (value >= 1e9) return `$${num(value / 1e9, 1)} bn`;
  return value >= 1e6 ? `$${num(value / 1e6, 1)} m` : `$${whole(value)}`;
}

/** Log points of a difference of logs. */
export const points = (value) => (value == null ? null : 100 * value);
/** The percentage of a difference of logs. */
export const percent = (value) => (value == null ? null : 100 * Math.expm1(value));
export const signClass = (value) => (value > 0 ? 'up' : value < 0 ? 'down' : 'flat');
export const arrow = (value) => (value > 0 ? '▲' : value < 0 ? '▼' : '');

/** A UTC time as a day in China. */
export function day(time) {
  if (!time) return null;
  return new Date(time).toLocaleDateString('sv-SE', {timeZone: 'Asia/Shanghai'});
}

/** A time with an offset, as a day and minute in China. */
export function minute(time) {
  return new Date(time).toLocaleString('sv-SE', {timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'short'});
}
