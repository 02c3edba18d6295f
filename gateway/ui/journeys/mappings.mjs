// What a Pulse admin does to make flow metrics her own, against the real program: take suggestions, preview, save, be
// refused a second commitment point, see what moving it does, move it, be refused to lose it, delete a step in favour
// of another, and read Flow.
// Both jobs must have finished before, and nobody may have mapped anything.
import assert from 'node:assert/strict';

import { folder, password, picture, signInWith, url, walk } from './walk.mjs';

const patience = 30_000;
const byId = (id) => (page) => page.getByTestId(id);

await walk(patience, async (page) => {
  await page.goto(`${url}/login`);
  await signInWith(page, password);
  await page.getByTestId('job-jira_sync').waitFor();
  const committedAtStart = await leadTime(page);
  await takeSuggestions(page);
  await picture(page, 'mappings', '/mappings', byId('statuses'));
  await moveCommitment(page);
  await keepCommitment(page);
  await deleteStep(page);
  await picture(page, 'workflows', '/mappings?view=workflows', byId('workflows'));
  await untilLeadTimeIsNot(page, committedAtStart);
  await readFlow(page);
  await picture(page, 'flow', '/metrics/flow', byId('forecast'));
  await picture(page, 'reviews', '/metrics/reviews', byId('cycle-split'));
  await picture(page, 'quality', '/metrics/quality', byId('quality-score'));
});

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
  const sent = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  await page.getByTestId('save-mappings').click();
  await page.getByTestId('mappings-saved').waitFor();
  const saves = sent.filter((request) => !request.endsWith('/suggest'));
  assert.deepEqual(saves, ['PUT /api/v1/status-mappings'], 'all of it was saved at once');
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
  const preview = page.getByTestId('change-preview');
  assert.match(await preview.getByTestId('preview-p50').innerText(), /day|h |min/, 'the preview tells the lead time');
  assert.match(await preview.getByTestId('preview-p85').innerText(), /day|h |min/, 'before and after the mark moves');
  assert.deepEqual(await commitments(page), [present], 'looking changes nothing');
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

// Lead time would begin nowhere without the mark.
async function keepCommitment(page) {
  const promised = page.locator('[data-testid="step"][data-step="Promised"]');
  await promised.getByTestId('edit-step').click();
  await page.getByRole('switch', { name: 'Commitment point' }).uncheck();
  await page.getByTestId('step-form-save').click();
  const refusal = page.getByTestId('commitment-needed');
  const words = await refusal.innerText();
  assert.ok(words.includes('"Promised"'), `the refusal names the step: ${words}`);
  await page.screenshot({ path: `${folder}/mappings-commitment-needed.png` });
  assert.deepEqual(await commitments(page), ['Promised'], 'what was refused changed nothing');
  await page.getByTestId('keep-commitment').click();
  await refusal.waitFor({ state: 'detached' });
  assert.ok(await page.getByRole('switch', { name: 'Commitment point' }).isChecked(), 'the mark stays where it is');
  await page.getByRole('button', { name: 'Cancel' }).click();
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
