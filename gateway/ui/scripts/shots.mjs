// Takes a picture of every view in both themes, and of some narrow as well: node scripts/shots.mjs FOLDER [NAME…]
import { mkdir } from 'node:fs/promises';

import { start } from '../mock/server.mjs';
import { browser, views, visit } from './browser.mjs';

const [folder = 'test-results/shots', ...names] = process.argv.slice(2);
const narrow = [
  'login',
  'jobs',
  'integrations',
  'wizard-scopes',
  'mappings',
  'mappings-preview',
  'mappings-types',
  'mappings-workflows',
  'mappings-commitment',
  'dora',
  'flow',
  'reviews',
  'quality',
];
const wanted = names.length > 0 ? views.filter((view) => names.includes(view.name)) : views;

await mkdir(folder, { recursive: true });
const chromium = await browser();
try {
  for (const view of wanted) {
    for (const theme of ['light', 'dark']) {
      await shoot(view, theme, { width: 1280, height: 860 }, '');
      if (narrow.includes(view.name)) await shoot(view, theme, { width: 320, height: 720 }, '-320');
    }
  }
} finally {
  await chromium.close();
}

async function shoot(view, theme, viewport, suffix) {
  const mock = await start();
  const page = await chromium.newPage({ viewport });
  page.on(
    'console',
    (message) =>
      message.type() === 'error' &&
      !message.text().startsWith('Failed to load') &&
      console.log(`${view.name}: ${message.text()}`),
  );
  page.on('pageerror', (error) => console.log(`${view.name}: ${error.stack}`));
  await visit(page, mock, view, theme);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) console.log(`${view.name}${suffix}: ${wide} px wider than the window`);
  await page.screenshot({ path: `${folder}/${view.name}-${theme}${suffix}.png`, fullPage: true });
  await page.close();
  await mock.close();
}
