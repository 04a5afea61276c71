// What every page needs to know of the home: newest month, vintage, closed months, names.
import {get} from './api.js';
import {day} from './format.js';
import {state} from './state.js';

export const home = {vintage: null, year: null, month: null, isReady: false};

const parsed = (text) => (text ? text.split('-').map(Number) : [null, null]);

/** The vintage that the address asks for, by number or by day; null for the newest. */
function asOf(vintages) {
  if (!state.as_of) return null;
  if (/^\d+$/.test(state.as_of)) return Number(state.as_of);
  return vintages.filter((of) => of.committed_at && day(of.committed_at) <= state.as_of).at(-1)?.vintage ?? null;
}

/** Reads the home at the vintage of the page. */
export async function readHome() {
  const [status, calendar, vintages] = await Promise.all([get('status'), get('calendar'), get('vintages')]);
  const all = vintages.rows;
  const vintage = asOf(all) ?? status.newest_vintage;
  const closed = calendar.rows.filter((of) => of.is_closed && of.vintage <= vintage);
  const last = closed.at(-1);
  const [year, month] = parsed(last?.month);
  const withGrowth = closed.filter((of) => of.has_growth);
  const [growthYear, growthMonth] = parsed(withGrowth.at(-1)?.month);
  Object.assign(home, {
    status, vintages: all, vintage, newest: status.newest_vintage,
    closed: closed.map((of) => parsed(of.month)), year: growthYear, month: growthMonth,
    lastYear: year, lastMonth: month, nextMonth: calendar.next_month,
    committedAt: all.find((of) => of.vintage === vintage)?.committed_at ?? null,
    isReady: true,
  });
  return home;
}

/** The last vintage of the publication before the one of the page; null for the first publication. */
export function vintageBefore() {
  const own = home.vintages.find((of) => of.vintage === home.vintage);
  const before = home.vintages.filter((of) => own && of.publication < own.publication);
  return before.length ? before.at(-1).vintage : null;
}
