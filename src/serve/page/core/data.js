// Requests that several views share, in the units of the page.
import {atVintage, get, rowsOf} from './api.js';
import {home} from './home.js';
import {state} from './state.js';

/** The most rows of an answer: fewer requests than with the service's own pages. */
export const PAGE = 10000;

/** A month as the service writes it. */
export const stamp = (year, month) => `${year}-${String(month).padStart(2, '0')}`;

/** The series of a unit: every month and span. */
export const series = async (level, key) => (await rowsOf(`series/${level}/${key}`, atVintage({limit: PAGE}))).rows;

/** The request of the rows of all units of a level in a month. */
export const unitsSource = (level, year, month, span) =>
  ({path: `series/${level}/*`, parameters: {span, from: stamp(year, month), to: stamp(year, month)}});

/** All units of a level in one month. */
export async function units(level, year, month, span) {
  const {path, parameters} = unitsSource(level, year, month, span);
  return (await rowsOf(path, atVintage({...parameters, limit: PAGE}))).rows;
}

let known = null;

/** Names by kind and code, in the language of the page. */
export async function names() {
  const lang = state.lang;
  if (known?.lang !== lang) {
    const kinds = ['city', 'country'].map((kind) => get('names', {kind, limit: 1000}).catch(() => ({rows: []})));
    known = {lang, answer: Promise.all(kinds).then((answers) => {
      const rows = answers.flatMap((answer) => answer.rows);
      const field = lang === 'zh' ? 'name_zh' : 'name_en';
      return new Map(rows.map((row) => [`${row.kind} ${row.code}`, row[field] || row.name_en || row.name_zh || row.code]));
    })};
    known.answer.catch(() => { known = null; });
  }
  const all = await known.answer.catch(() => new Map());
  const of = (kind) => (code) => all.get(`${kind} ${code}`) ?? code;
  return {city: of('city'), country: of('country'), province: of('province')};
}

/** The effects of affiliate growth of a level; the newest month unless told. Empty if there is no estimate yet. */
export async function effects(parameters) {
  try {
    return pinned((await rowsOf('effects', atVintage(parameters))).rows);
  } catch (error) {
    if (error.status >= 400 && error.status < 600 && error.status !== 0) return Object.assign([], {why: error});
    throw error;
  }
}

/** At the close of December there are two estimates: the page shows the one of the whole year before. */
function pinned(rows) {
  const name = (row) => [row.year, row.month, row.key, row.component].join(' ');
  const first = new Map();
  for (const row of rows) if (!(first.get(name(row))?.through <= row.through)) first.set(name(row), row);
  return rows.filter((row) => first.get(name(row)) === row);
}

/** The effects of a unit in the months of this year and of the year before, where there is an estimate. */
export async function effectMonths(level, key) {
  const months = home.closed.filter(([year, month]) => year >= home.year - 1 && year <= home.year && month >= 2);
  const all = await Promise.all(months.map(([year, month]) =>
    effects({level, key: level === 'nation' ? null : key, span: 'ytd', month: stamp(year, month)})));
  return all.flat();
}
