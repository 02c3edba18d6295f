// What a Pulse admin does first, against the real program: sign in, run both jobs and watch them, read DORA.
// node journeys/sync.mjs URL EMAIL PASSWORD FOLDER: exits with 0 if all of it worked; pictures go to FOLDER.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';

import { browser } from '../scripts/browser.mjs';

const [url, email, password, folder] = process.argv.slice(2);
const patience = 90_000;

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

  await signIn(page);
  await runBothJobs(page);
  await picture(page, 'jobs', '/home');
  await picture(page, 'integrations', '/integrations');
  await readDora(page);
  await picture(page, 'dora', '/metrics/dora');
  assert.deepEqual(failures, [], 'the page raised errors');
} finally {
  await chromium.close();
}

async function signIn(page) {
  await page.goto(`${url}/home`);
  await page.waitForURL('**/login?error=authentication_required**');

  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByTestId('login-error').waitFor();

  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByTestId('job-jira_sync').waitFor();
}

async function runBothJobs(page) {
  for (const job of ['jira_sync', 'git_sync']) {
    await page.getByTestId(`${job}-run`).click();
  }
  await page.getByTestId('jira_sync-progress').waitFor();
  for (const job of ['jira_sync', 'git_sync']) {
    await page.locator(`[data-testid="job-${job}"][data-status="FINISHED"]`).waitFor();
    const rows = await page.getByTestId(`${job}-rows`).innerText();
    assert.match(rows, /[1-9]/, `${job} tells how many rows it read`);
  }
  const link = await page.getByTestId('link-state').getAttribute('data-state');
  assert.equal(link, 'live', 'the jobs came by WebSocket');
}

async function readDora(page) {
  await page.goto(`${url}/metrics/dora`);
  const names = [
    'deployment_frequency',
    'lead_time_for_changes',
    'change_failure_rate',
    'failed_deployment_recovery_time',
  ];
  for (const name of names) {
    const card = page.getByTestId(`dora-${name}`);
    await card.waitFor();
    assert.match(await page.getByTestId(`dora-${name}-value`).innerText(), /\d/, `${name} has a value`);
    assert.match(await card.innerText(), /Elite|High|Medium|Low/i, `${name} has a band`);
  }
}

// One picture each in light and dark, embedded and not.
async function picture(page, name, path) {
  for (const theme of ['light', 'dark']) {
    for (const embedded of [false, true]) {
      await page.goto(`${url}${path}?embedded=${embedded}&theme=${theme}`);
      await page.locator('main h1').first().waitFor();
      await page.waitForLoadState('networkidle');
      assert.equal(await page.getByTestId('header').count(), embedded ? 0 : 1, 'only embedded pages have no header');
      await page.screenshot({ path: `${folder}/${name}-${theme}${embedded ? '-embedded' : ''}.png`, fullPage: true });
    }
  }
}
