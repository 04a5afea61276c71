import {state} from '../core/state.js';
import {list, one} from './units.js';

/** Destinations, or one destination. */
export default (tools) => (state.key ? one('country', state.key, tools) : list('country', tools));
