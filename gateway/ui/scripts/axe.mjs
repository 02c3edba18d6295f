// Runs axe on every view in both themes against the mock; fails on any violation of WCAG 2.2 AA: node scripts/axe.mjs [NAME…]
import { readFile } from 'node:fs/promises';

import { start } from '../mock/server.mjs';
import { browser, views, visit } from './browser.mjs';

const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const names = process.argv.slice(2);
const wanted = names.length > 0 ? views.filter((view) => names.includes(view.name)) : views;

const mock = await start();
const chromium = await browser();
// The page's own policy would refuse the injected script.
const context = await chromium.newContext({
  viewport: { width: 1280, height: 860 },
  bypassCSP: true,
  reducedMotion: 'reduce',
});
let found = 0;
try {
  for (const view of wanted) {
    for (const theme of ['light', 'dark']) {
      const page = await context.newPage();
      await visit(page, mock, view, theme);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(
        (values) => window.axe.run({ runOnly: { type: 'tag', values } }),
        tags,
      );
      for (const { id, help, nodes } of violations) {
        found += 1;
        console.log(`${view.name} ${theme}: ${id}: ${help}`);
        for (const node of nodes.slice(0, 4))
          console.log(`    ${node.html.slice(0, 160)}\n    ${node.failureSummary.replaceAll('\n', ' ')}`);
      }
      await page.close();
    }
  }
} finally {
  await chromium.close();
  await mock.close();
}

console.log(found === 0 ? `no violations in ${wanted.length} views × 2 themes` : `${found} violations`);
process.exit(found === 0 ? 0 : 1);
