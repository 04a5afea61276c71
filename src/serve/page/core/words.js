// Texts in both languages, and the words of time.
import {state} from './state.js';

/** A text in the language of the page; {0}, {1} stand for values. */
export function L(zh, en, ...values) {
  const text = state.lang === 'zh' ? zh : en;
  return text
    .replace(/\{(\d)\}/g, (_, place) => values[+place])
    .replace(/(\d)—(\d)/g, '$1\u2060—\u2060$2');
}

export const isChinese = () => state.lang === 'zh';
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const monthName = (month) => (isChinese() ? `${month}月` : MONTHS[month - 1]);
/** January and February are shown together: one tick. */
export const monthTick = (month) => (month === 2 ? L('1–2月', 'Jan–Feb') : monthName(month));
export const yearMonth = (year, month) => (isChinese() ? `${year}年${month}月` : `${MONTHS[month - 1]} ${year}`);

/** The months of a span that ends in a month. */
export function spanName(span, year, month) {
  if (span === '12m') {
    const from = month === 12 ? [year, 1] : [year - 1, month + 1];
    return L('{0}至{1}', '{0} to {1}', yearMonth(...from), yearMonth(year, month));
  }
  if (span === 'month') {
    if (month === 2) return L('{0}年1—2月', 'Jan–Feb {0}', year);
    return yearMonth(year, month);
  }
  if (month === 1) return yearMonth(year, 1);
  return L('{0}年1—{1}月', `Jan–${MONTHS[month - 1]} {0}`, year, month);
}

export const SPANS = [
  ['ytd', () => L('累计', 'Year to date')],
  ['month', () => L('当月', 'Month')],
  ['12m', () => L('12个月', '12 months')],
];
