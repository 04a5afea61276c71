// What several views need: the rows of a span, and the states without growth.
import {h} from '../core/dom.js';
import {blank} from '../core/figure.js';
import {points} from '../core/format.js';
import {home} from '../core/home.js';
import {L, yearMonth} from '../core/words.js';

export const ofSpan = (rows, span) => rows.filter((row) => row.span === span);

/** Rows of a series as lines of a chart, in log points. */
export const toLines = (rows, field, turn = points) => rows.map((row) => ({year: row.year, month: row.month, value: turn(row[field])}));

/** The page of a home without growth; null if there is growth. */
export function empty() {
  if (home.year) return null;
  const title = h('div.phead', {}, h('div.l', {}, h('h1', {}, L('还没有可显示的增长', 'There is no growth to show yet'))));
  if (!home.lastYear) {
    return [title, blank(L('还没有数据。', 'No data yet.'), L('增长要与上年同月相比，收齐两年的同一月份后开始显示。', 'Growth needs the same months of two years; it appears once both are there.'), 'spillover ingest feed/')];
  }
  const months = (year) => {
    const closed = home.closed.filter(([of]) => of === year).map(([, month]) => month);
    return h('p', {}, h('span.months', {}, h('i.w' + (closed.includes(2) ? '.c' : ''), {}),
      Array.from({length: 10}, (_, place) => h(closed.includes(place + 3) ? 'i.c' : 'i', {}))), ` ${year}`);
  };
  const [year, month] = home.closed[0];
  return [title, blank(L('已收 {0}至{1}。', '{0} to {1} are here.', yearMonth(year, month), yearMonth(home.lastYear, home.lastMonth)),
    L('首个增长将在下一年的同一月份关账时出现。', 'The first growth appears when the same month of the next year closes.')), h('div', {}, [...new Set(home.closed.map(([of]) => of)), home.lastYear + 1].filter((of, place, all) => all.indexOf(of) === place).map(months))];
}
