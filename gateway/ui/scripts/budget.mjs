// Holds the weight of the page: what loads first, and each chunk that loads later. Gzip, as it travels at worst.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const firstMost = 90_000;
const laterMost = 60_000;

const assets = new URL('../dist/assets/', import.meta.url);
const html = await readFile(new URL('../dist/index.html', import.meta.url), 'utf8');
const scripts = (await readdir(assets)).filter((name) => name.endsWith('.js'));

const weights = new Map();
for (const name of scripts) weights.set(name, gzipSync(await readFile(new URL(name, assets))).length);

const first = scripts.filter((name) => html.includes(name));
const pages = scripts.filter((name) => !html.includes(name));
const shell = first.reduce((sum, name) => sum + weights.get(name), 0);
// The worst that a first visit can meet: the shell and everything that any page brings.
const worst = pages.reduce((sum, name) => sum + weights.get(name), shell);

for (const name of [...first, ...pages]) console.log(`${weights.get(name).toString().padStart(7)}  ${name}`);
console.log(`${shell.toString().padStart(7)}  in index.html, ${worst} with every page (at most ${firstMost})`);

const heavy = pages.filter((name) => weights.get(name) > laterMost);
if (worst > firstMost || heavy.length > 0) {
  console.error(`over budget: ${heavy.join(', ') || 'first load'}`);
  process.exit(1);
}
