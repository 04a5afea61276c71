import {state} from '../core/state.js';
import {list, one} from './units.js';

/** Cities, or one city. */
export default (tools) => (state.key ? one('city', state.key, tools) : list('city', tools));
