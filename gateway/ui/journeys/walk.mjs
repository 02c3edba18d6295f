// How a journey through the real program begins and ends: a browser, somebody who signs in, and pictures of what she saw.
// node journeys/NAME.mjs URL EMAIL PASSWORD FOLDER: exits with 0 if all of it worked; pictures go to FOLDER.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';

import { browser } from '../scripts/browser.mjs';

export const [url, email, password, folder] = process.argv.slice(2);

/** Walks with a page of a fresh browser; errors of the page and refusals of its policy fail the journey. */
export async function walk(patience, steps) {
  await mkdir(folder, { recursive: true });
  const chromium = await browser();
  try {
    const context = await chromium.newContext({ viewport: { width: 1280, height: 860 } });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    const failures = [];
    page.on('pageerror', (error) => failures.push(error.stack));
    page.on('console', (message) => {
      if (message.type() === 'error' && /Content Security Policy/i.test(message.text())) failures.push(message.text());
    });
    await steps(page);
    assert.deepEqual(failures, [], 'the page raised errors');
  } finally {
    await chromium.close();
  }
}

/** Fills in the form and sends it. */
export async function signInWith(page, secret) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** One picture each in light and dark, embedded and not, once what was waited for is there. */
export async function picture(page, name, path, shows) {
  for (const theme of ['light', 'dark']) {
    for (const embedded of [false, true]) {
      const address = new URL(path, url);
      address.searchParams.set('embedded', embedded);
      address.searchParams.set('theme', theme);
      await page.goto(address.href);
      await shows(page).waitFor();
      await page.waitForLoadState('networkidle');
      assert.equal(await page.getByTestId('header').count(), embedded ? 0 : 1, 'only embedded pages have no header');
      await page.screenshot({ path: `${folder}/${name}-${theme}${embedded ? '-embedded' : ''}.png`, fullPage: true });
    }
  }
}
