// Opens the page in Chromium and checks what a reader needs. Prints one JSON object per failure.
//
//   node check.mjs BASE CHROMIUM CHECK [FOLDER]
//
// CHECK: looks | axe | keys | weight | hostile | empty | shots. FOLDER takes the screenshots.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {gzipSync} from 'node:zlib';
import {chromium} from 'playwright-core';

const [base, executablePath, check, folder] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const VIEWS = ['overview', 'destinations', 'cities', 'sources', 'estimates', 'revisions', 'report', 'feed', 'explain'];
const FIRST_VIEW_MAX = 350_000; // bytes, gzipped
const browser = await chromium.launch({executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});
let failures = 0;
let checked = 0;

const fail = (where, what) => {
  failures += 1;
  console.log(JSON.stringify({where, what}));
};
const must = (condition, where, what) => {
  checked += 1;
  if (!condition) fail(where, what);
};

/** Opens an address, waits until every figure is drawn, and collects what went wrong. */
async function opened(query, {width = 1440, height = 900, scale = 1} = {}) {
  const context = await browser.newContext({viewport: {width, height}, deviceScaleFactor: scale, locale: 'en-GB', bypassCSP: false});
  const page = await context.newPage();
  const where = `${query} at ${width}`;
  page.on('pageerror', (error) => fail(where, `script: ${error.message}`));
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) fail(where, `console: ${message.text()}`); });
  page.on('dialog', (dialog) => { fail(where, 'a dialog opened'); dialog.dismiss(); });
  await page.goto(base + query);
  await settled(page);
  return {page, where, close: () => context.close()};
}

async function settled(page) {
  await page.waitForFunction(() => document.body.dataset.ready === '1', null, {timeout: 60_000});
  await page.waitForFunction(() => !document.querySelector('[aria-busy]'), null, {timeout: 60_000});
}

const address = (view, more = {}) => '?' + new URLSearchParams({p: view, ...more});

/** Each view in both languages and themes, at four widths: no overflow, no error, texts present. */
async function looks() {
  const shapes = [[1440, 'en', 'light'], [1440, 'zh', 'dark'], [360, 'zh', 'light'], [360, 'en', 'dark'], [768, 'en', 'light'], [1920, 'zh', 'light']];
  const units = [['cities', await firstUnit('city')], ['destinations', await firstUnit('country')]];
  for (const [width, lang, theme] of shapes) {
    for (const [view, key] of [...VIEWS.map((name) => [name]), ...units]) {
      const {page, where, close} = await opened(address(view, {lang, theme, ...(key ? {key} : {})}), {width});
      const seen = await page.evaluate(() => ({
        over: document.documentElement.scrollWidth - window.innerWidth,
        headings: document.querySelectorAll('h1').length,
        alerts: [...document.querySelectorAll('[role=alert]')].map((of) => of.textContent),
        figures: document.querySelectorAll('figure, .blank').length,
        unsourced: [...document.querySelectorAll('figure')].filter((of) => !of.querySelector('footer').textContent).length,
        text: document.body.innerText, theme: document.documentElement.dataset.theme, lang: document.documentElement.lang,
      }));
      must(seen.over <= 0, where, `wider than the window by ${seen.over}`);
      must(seen.headings === 1, where, `${seen.headings} h1`);
      must(seen.alerts.length === 0, where, seen.alerts.join('; '));
      must(view === 'explain' || seen.figures > 0, where, 'neither a figure nor a reason');
      must(seen.unsourced === 0, where, `${seen.unsourced} figures without a source`);
      must(!/NaN|undefined|\[object/.test(seen.text), where, 'NaN, undefined or an object in the text');
      const alert = lang === 'en' ? 'Rule "growth", vintage 48' : '规则“growth”，版本 48';
      must(!['overview', 'report', 'feed'].includes(view) || seen.text.includes(alert), where, 'no alert is shown');
      must(seen.theme === theme && seen.lang.startsWith(lang), where, 'theme or language of the document');
      must(lang !== 'en' || !/[\u4e00-\u9fff]/.test(seen.text.replace(/中文/g, '')), where, `Chinese on the English page: ${seen.text.match(/.{0,20}[\u4e00-\u9fff]+.{0,20}/)?.[0]}`);
      await close();
    }
  }
}

async function firstUnit(level) {
  const answer = await fetch(`${base}api/v1/series/${level}/*?span=ytd&sort=-export_value&limit=1`).then((of) => of.json());
  const answerRows = answer.rows ?? (await fetch(`${base}api/v1/series/${level}/*?span=ytd`).then((of) => of.json())).rows;
  return answerRows[0].key;
}

async function accessible() {
  for (const [lang, theme, width] of [['en', 'light', 1440], ['zh', 'dark', 1440], ['zh', 'light', 360]]) {
    for (const view of VIEWS) {
      const {page, where, close} = await opened(address(view, {lang, theme}), {width});
      await page.evaluate(axe);
      const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
      checked += 1;
      for (const of of violations) fail(where, `axe ${of.id}: ${of.help}; ${of.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`);
      await close();
    }
  }
}

async function keys() {
  const {page, where, close} = await opened('?lang=en');
  await page.keyboard.press('/');
  must(await page.evaluate(() => document.activeElement.id === 'search'), where, '/ does not reach the search');
  for (const [asked, kind] of [['Germany', 'destinations'], ['德国', 'destinations'], ['DEU', 'destinations'], ['304', 'destinations'], ['shenzhen', 'cities'], ['深圳', 'cities']]) {
    await page.goto(`${base}?lang=en`);
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type(asked);
    await page.waitForSelector('#hits:not([hidden]) li[role=option]');
    await page.waitForTimeout(300);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(200);
    must(new URL(page.url()).searchParams.get('p') === kind, where, `${asked} leads to ${page.url()}`);
  }
  await page.goto(`${base}?lang=en`);
  await settled(page);
  const before = page.url();
  await page.keyboard.press('w');
  await page.waitForFunction((url) => location.href !== url, before);
  must(page.url().includes('w=month'), where, 'w does not change the window');
  await page.goto(`${base}?lang=en`);
  await settled(page);
  const button = page.locator('figure .acts button').first();
  await button.focus();
  await page.keyboard.press('Enter');
  must(await page.locator('figure').first().locator('table').count() > 0, where, 'the table of the first figure does not show');
  await page.keyboard.press('Enter');
  must(await page.locator('figure').first().locator('svg[data-chart]').count() > 0, where, 'the chart does not come back');
  await page.locator('figure .acts button').nth(3).click();
  const cited = await page.locator('.pop pre').first().innerText();
  must(/vintage \d+/.test(cited) && cited.includes('as_of='), where, `citation: ${cited}`);
  await page.keyboard.press('Escape');
  must(await page.locator('.pop').count() === 0, where, 'Escape does not close');
  const hover = page.locator('.hover').first();
  await hover.focus();
  await page.keyboard.press('ArrowRight');
  must(await page.locator('.tip:not([hidden])').count() === 1, where, 'arrow keys do not read a month');
  const stored = await page.locator('#asof option').count();
  if (stored > 1) {
    await page.selectOption('#asof', {index: 1});
    await settled(page);
    must(page.url().includes('as_of='), where, 'the vintage is not in the address');
    must(await page.locator('.bar.old').count() === 1, where, 'an old vintage is not marked');
  }
  await close();
}

/** The bytes of the first view, each file gzipped. */
async function weight() {
  const context = await browser.newContext();
  const page = await context.newPage();
  const bodies = [];
  page.on('response', (response) => { if (!response.url().includes('/events')) bodies.push(response.body().catch(() => Buffer.alloc(0))); });
  await page.goto(`${base}?lang=en`);
  await settled(page);
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  must(total <= FIRST_VIEW_MAX && total > 20_000, 'first view', `${total} bytes`);
  await context.close();
}

/** Names that look like markup stay text. */
async function hostile() {
  for (const view of VIEWS) {
    const {page, where, close} = await opened(address(view, {lang: 'en'}));
    must(await page.locator('img, iframe, object, embed, b[onclick], [onerror]').count() === 0, where, 'markup from the data');
    await close();
  }
  const {page, where, close} = await opened(address('destinations', {lang: 'en'}));
  must((await page.locator('main').innerText()).includes('<img src=x'), where, 'the hostile name is not shown as text');
  await close();
}

/** A home without growth: every view says what is missing. */
async function empty() {
  for (const view of VIEWS) {
    const {page, where, close} = await opened(address(view, {lang: 'en'}));
    const text = await page.locator('main').innerText();
    must(/no data yet|are here|no growth|0 files|1 file|nothing|There (is|are) no|files,/i.test(text), where, `it does not say what is missing: ${text.slice(0, 200)}`);
    must(await page.locator('h1').count() === 1, where, 'no heading');
    await close();
  }
}

async function shots() {
  const city = await firstUnit('city');
  for (const [name, query, width] of [['overview-en', address('overview', {lang: 'en'})], ['overview-zh-dark', address('overview', {lang: 'zh', theme: 'dark'})], ['city-zh', address('cities', {lang: 'zh', key: city})],
    ['sources-en', address('sources', {lang: 'en'})], ['estimates-en', address('estimates', {lang: 'en'})], ['overview-zh-360', address('overview', {lang: 'zh'}), 360]]) {
    const {page, close} = await opened(query, {width, scale: 1});
    await page.waitForTimeout(300);
    await page.screenshot({path: `${folder}/${name}.png`, fullPage: true});
    checked += 1;
    await close();
  }
}

const CHECKS = {looks, axe: accessible, keys, weight, hostile, empty, shots};
await CHECKS[check]();
await browser.close();
console.log(JSON.stringify({checked, failures}));
process.exit(failures ? 1 : 0);
