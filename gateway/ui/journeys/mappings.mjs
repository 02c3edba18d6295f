// What a Pulse admin does to make flow metrics her own, against the real program: take suggestions, preview, save, be
// refused a second commitment point, move it, delete a step in favour of another, and read Flow.
// node journeys/mappings.mjs URL EMAIL PASSWORD FOLDER: exits with 0 if all of it worked; pictures go to FOLDER.
// Both jobs must have finished before, and nobody may have mapped anything.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';

import { browser } from '../scripts/browser.mjs';

const [url, email, password, folder] = process.argv.slice(2);
const patience = 30_000;
const themes = ['light', 'dark'];

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
  const committedAtStart = await leadTime(page);
  await takeSuggestions(page);
  await picture(page, 'mappings', '/mappings', 'statuses');
  await moveCommitment(page);
  await deleteStep(page);
  await picture(page, 'workflows', '/mappings?view=workflows', 'workflows');
  await untilLeadTimeIsNot(page, committedAtStart);
  await readFlow(page);
  await picture(page, 'flow', '/metrics/flow', 'forecast');
  await picture(page, 'reviews', '/metrics/reviews', 'cycle-split');
  await picture(page, 'quality', '/metrics/quality', 'quality-score');
  assert.deepEqual(failures, [], 'the page raised errors');
} finally {
  await chromium.close();
}

async function signIn(page) {
  await page.goto(`${url}/login`);
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByTestId('job-jira_sync').waitFor();
}

async function takeSuggestions(page) {
  await page.goto(`${url}/mappings`);
  await page.getByTestId('statuses').waitFor();
  const before = await page.getByTestId('take-suggestion').count();
  assert.ok(before > 1, 'statuses without a mapping have suggestions');
  await page.getByText('Why?').first().click();
  await page.getByTestId('take-suggestion').first().click();
  await page.getByTestId('take-suggestions').click();
  const edited = Number.parseInt(await page.getByTestId('unsaved').innerText(), 10);
  assert.ok(edited > 1, 'one suggestion and then all that are sure enough were taken');

  await page.getByTestId('preview').click();
  assert.match(await page.getByTestId('preview-moved').innerText(), /^[0-9]/, 'the preview tells how many issues move');
  assert.match(await page.getByTestId('preview-p85').innerText(), /day|h |min/, 'and the lead time before and after');
  await page.screenshot({ path: `${folder}/mappings-preview.png` });
  await page.getByTestId('save-mappings').click();
  await page.getByTestId('mappings-saved').waitFor();
  const left = await page.getByTestId('take-suggestion').count();
  assert.equal(left, before - edited, 'what was saved has a mapping now');
  assert.equal((await kept(page, 'status-mappings')).length, edited, 'and the service keeps it');
  assert.equal(await stepOf(page, 'Backlog'), 'To Do', 'a suggestion was taken as it was made');
}

async function moveCommitment(page) {
  await page.goto(`${url}/mappings?view=workflows`);
  const marked = page.getByTestId('step').filter({ has: page.getByTestId('commitment') });
  const present = await marked.getAttribute('data-step');
  const promised = page.locator('[data-testid="step"][data-step="Promised"]');

  await page.getByTestId('add-step').first().click();
  await page.getByLabel('Name', { exact: true }).fill('Promised');
  await page.getByLabel('Category').selectOption('TO_DO');
  await page.getByRole('switch', { name: 'Commitment point' }).check();
  await page.getByTestId('step-form-save').click();
  const refusal = page.getByTestId('commitment-taken');
  const words = await refusal.innerText();
  assert.ok(words.includes(`"${present}"`), `the refusal names ${present}: ${words}`);
  assert.match(words, /there can be only one/, 'in the words of the API');
  await page.screenshot({ path: `${folder}/mappings-commitment.png` });
  assert.deepEqual(await commitments(page), [present], 'what was refused changed nothing');

  await page.getByTestId('move-commitment').click();
  await refusal.waitFor({ state: 'detached' });
  await promised.getByTestId('commitment').waitFor();
  assert.equal(await page.getByTestId('commitment').count(), 1, 'the page shows one commitment point');
  assert.deepEqual(await commitments(page), ['Promised'], 'and the service keeps one');
}

async function deleteStep(page) {
  const step = page.locator('[data-testid="step"][data-step="To Do"]');
  await step.getByRole('button', { name: 'Delete' }).click();
  const impact = await page.getByTestId('impact').innerText();
  assert.match(impact, /[1-9][\d,]* issues/, 'the impact counts the issues that stand there');
  assert.match(impact, /[1-9]\d* status mapping/, 'and the mappings that lead there');
  const confirm = page.getByTestId('impact-confirm');
  assert.ok(await confirm.isDisabled(), 'what hangs on it needs another step first');
  await page.screenshot({ path: `${folder}/mappings-delete.png` });

  await page.getByTestId('impact-dialog').getByRole('combobox').selectOption('Promised');
  await confirm.click();
  await step.waitFor({ state: 'detached' });
  assert.equal(await stepOf(page, 'Backlog'), 'Promised', 'its mappings lead to the other step');
}

// The rows of a noun as the service keeps them.
async function kept(page, noun) {
  const answer = await page.request.get(`${url}/api/v1/${noun}`);
  assert.equal(answer.status(), 200);
  return (await answer.json()).items;
}

async function stepsKept(page) {
  return (await kept(page, 'workflows')).flatMap(({ steps }) => steps);
}

async function commitments(page) {
  return (await stepsKept(page)).filter((step) => step.commitment_point).map(({ name }) => name);
}

// The step to which a status is mapped.
async function stepOf(page, status) {
  const mapping = (await kept(page, 'status-mappings')).find((candidate) => candidate.status === status);
  return (await stepsKept(page)).find(({ id }) => id === mapping.step_id).name;
}

async function leadTime(page) {
  await page.goto(`${url}/metrics/flow`);
  return page.getByTestId('flow-lead_time-value').innerText();
}

// The numbers follow the workflow within seconds, and nothing is fetched again.
async function untilLeadTimeIsNot(page, before) {
  const deadline = Date.now() + patience;
  while ((await leadTime(page)) === before) {
    assert.ok(Date.now() < deadline, `the lead time is still ${before}`);
    await page.waitForTimeout(500);
  }
}

async function readFlow(page) {
  await page.goto(`${url}/metrics/flow`);
  for (const name of ['lead_time', 'cycle_time', 'throughput', 'wip', 'flow_efficiency']) {
    assert.match(await page.getByTestId(`flow-${name}-value`).innerText(), /\d/, `${name} has a value`);
  }
  await page.getByTestId('scatter').waitFor();
  assert.match(await page.getByTestId('forecast-table').innerText(), /\d or more/, 'the forecast has an answer');
  await page.getByTestId('show-rows').click();
  assert.match(await page.getByTestId('rows').innerText(), /[A-Z]+-\d+/, 'two clicks lead from a number to its issues');
}

// One picture each in light and dark, embedded and not, once what was waited for is there.
async function picture(page, name, path, shows) {
  for (const theme of themes) {
    for (const embedded of [false, true]) {
      const address = new URL(path, url);
      address.searchParams.set('embedded', embedded);
      address.searchParams.set('theme', theme);
      await page.goto(address.href);
      await page.getByTestId(shows).waitFor();
      await page.waitForLoadState('networkidle');
      assert.equal(await page.getByTestId('header').count(), embedded ? 0 : 1, 'only embedded pages have no header');
      await page.screenshot({ path: `${folder}/${name}-${theme}${embedded ? '-embedded' : ''}.png`, fullPage: true });
    }
  }
}
