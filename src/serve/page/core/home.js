// What every page needs to know of the home: newest month, vintage, closed months, names.
import {get} from './api.js';
import {state} from './state.js';

export const home = {vintage: null, year: null, month: null, isReady: false};

const parsed = (text) => (text ? text.split('-').map(Number) : [null, null]);

/** Reads the home at the vintage of the page. */
export async function readHome() {
  const [status, calendar, vintages] = await Promise.all([get('status'), get('calendar'), get('vintages')]);
  const all = vintages.rows;
  const asOf = /^\d+$/.test(state.as_of || '') ? Number(state.as_of) : null;
  const vintage = asOf ?? status.newest_vintage;
  const isKnown = (of) => of.is_closed && of.vintage <= vintage;
  const closed = calendar.rows.filter((of) => isKnown(of) || (of.is_closed && asOf == null));
  const last = closed.at(-1);
  const [year, month] = parsed(last?.month);
  const withGrowth = closed.filter((of) => of.has_growth);
  const [growthYear, growthMonth] = parsed(withGrowth.at(-1)?.month);
  Object.assign(home, {
    status, vintages: all, vintage, newest: status.newest_vintage,
    closed: closed.map((of) => parsed(of.month)), year: growthYear, month: growthMonth,
    lastYear: year, lastMonth: month, nextMonth: calendar.next_month,
    firstYear: parsed(withGrowth[0]?.month)[0],
    committedAt: all.find((of) => of.vintage === vintage)?.committed_at ?? null,
    isSimulated: Boolean(status.is_simulated), isReady: true,
  });
  return home;
}

/** The last vintage of the publication before the one of the page; null if there is none. */
export function vintageBefore() {
  const own = home.vintages.find((of) => of.vintage === home.vintage);
  const before = home.vintages.filter((of) => own && of.publication < own.publication);
  return before.length ? before.at(-1).vintage : null;
}
