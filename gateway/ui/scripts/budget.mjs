// Holds the weight of the page: what a first visit loads, and each chunk that loads later. Gzip, as it travels at worst.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const firstMost = 90_000;
const laterMost = 60_000;

const assets = new URL('../dist/assets/', import.meta.url);
const html = await readFile(new URL('../dist/index.html', import.meta.url), 'utf8');

const weights = new Map();
/** What each chunk cannot begin without. */
const needs = new Map();
for (const name of (await readdir(assets)).filter((name) => name.endsWith('.js'))) {
  const text = await readFile(new URL(name, assets), 'utf8');
  weights.set(name, gzipSync(text).length);
  needs.set(
    name,
    [...text.matchAll(/(?:from|import)\s*["'`]\.\/([\w-]+\.js)["'`]/g)].map(([, needed]) => needed),
  );
}

const shell = [...weights.keys()].filter((name) => html.includes(name));
const later = [...weights.keys()].filter((name) => !shell.includes(name));
const pages = later.filter((name) => name.includes('Page-'));

/** Everything that has to arrive before these chunks can begin, themselves included. */
function closure(names) {
  const all = new Set(names);
  for (const name of all) for (const needed of needs.get(name)) all.add(needed);
  return all;
}

const weigh = (names) => [...names].reduce((sum, name) => sum + weights.get(name), 0);
const first = (page) => weigh(closure([...shell, page]));

for (const name of [...shell, ...later]) console.log(`${weights.get(name).toString().padStart(7)}  ${name}`);
console.log(`${weigh(shell).toString().padStart(7)}  in index.html`);
for (const page of pages) {
  console.log(`${first(page).toString().padStart(7)}  for a first visit to ${page} (at most ${firstMost})`);
}

const heavy = [
  ...pages.filter((page) => first(page) > firstMost),
  ...later.filter((name) => weights.get(name) > laterMost),
];
if (pages.length === 0 || heavy.length > 0) {
  console.error(`over budget: ${heavy.join(', ') || 'no pages were found'}`);
  process.exit(1);
}
