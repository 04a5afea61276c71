// The only way to the data: answers of /api/v1, at the vintage of the page.
import {state} from './state.js';

const ROOT = 'api/v1/';
const held = new Map();

/** A failed request: a stable code, the cause and the remedy. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || 'unreachable';
    this.held_until = body.held_until;
  }
}

/** The address of an answer. */
export function address(path, parameters = {}, suffix = '') {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value != null && value !== '') query.set(name, value);
  }
  const text = query.toString();
  const place = path.split('/').map(encodeURIComponent).join('/');
  return ROOT + place + suffix + (text ? `?${text}` : '');
}

/** The parameters of a request at the vintage of the page. */
export const atVintage = (parameters = {}) => ({...parameters, as_of: parameters.as_of ?? state.as_of});

/** The access token of this tab, where the service asks for one. It is never part of an address. */
export const token = {
  get: () => sessionStorage.getItem('token'),
  set: (value) => sessionStorage.setItem('token', value),
};

/** The headers of a request. */
export const headers = (more = {}) => {
  const own = token.get();
  return {'Accept-Language': state.lang, ...(own ? {Authorization: `Bearer ${own}`} : {}), ...more};
};

async function load(url) {
  let answer;
  try {
    answer = await fetch(url, {headers: headers({Accept: 'application/json'})});
  } catch (error) {
    throw new Problem(0, {code: 'unreachable', detail: String(error.message || error)});
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

/** An answer; equal requests share it until `forget`. */
export function get(path, parameters = {}) {
  const url = address(path, parameters);
  const key = `${state.lang} ${url}`;
  if (!held.has(key)) {
    const answer = load(url);
    held.set(key, answer);
    answer.catch(() => held.delete(key));
  }
  return held.get(key);
}

/** All rows of an answer with pages, up to a number. */
export async function rowsOf(path, parameters = {}, max = 20000) {
  const first = await get(path, parameters);
  const rows = [...(first.rows || [])];
  let next = first.next;
  while (next && rows.length < max) {
    const page = await load(next.replace(/^\//, ''));
    rows.push(...page.rows);
    next = page.next;
  }
  return {...first, rows, isCut: Boolean(next)};
}

/** Drops all answers: after a publication that the reader asked to see. */
export const forget = () => held.clear();
