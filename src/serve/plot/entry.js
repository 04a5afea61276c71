// The marks and functions that the charts of the page use.
export {areaY, dot, gridX, gridY, line, link, plot, rectY, ruleX, ruleY, text} from '@observablehq/plot';
export {forceCollide, forceSimulation, forceX, forceY} from 'd3-force';
export {geoConicEqualArea} from 'd3-geo';
