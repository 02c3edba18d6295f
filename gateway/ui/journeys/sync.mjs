// What a Pulse admin does first, against the real program: sign in, run both jobs and watch them, read DORA.
import assert from 'node:assert/strict';

import { password, picture, signInWith, url, walk } from './walk.mjs';

const patience = 90_000;
const head = (page) => page.locator('main h1').first();

await walk(patience, async (page) => {
  await signIn(page);
  await runBothJobs(page);
  await picture(page, 'jobs', '/home', head);
  await picture(page, 'integrations', '/integrations', head);
  await readDora(page);
  await picture(page, 'dora', '/metrics/dora', head);
});

// A link to a page leads there by way of the sign-in.
async function signIn(page) {
  const link = `${url}/metrics/flow?days=30`;
  await page.goto(link);
  await page.waitForURL('**/login?error=authentication_required**');
  await signInWith(page, 'not the password');
  await page.getByTestId('login-error').waitFor();
  await signInWith(page, password);
  await page.getByTestId('flow-empty').waitFor();
  assert.equal(page.url(), link, 'signing in leads to the page that was asked for');
  await page.goto(`${url}/home`);
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
