// A headless browser of this machine, for looking at the page.
import { chromium } from 'playwright-core';

export const browser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

/** Every page in the states worth looking at. */
export const views = [
  { name: 'login', path: '/login', scenario: 'signed-out' },
  { name: 'login-denied', path: '/login?error=permission_denied&resource=etl_management', scenario: 'signed-out' },
  { name: 'denied', path: '/home', scenario: 'forbidden' },
  { name: 'embedded-wait', path: '/home?embedded=true', scenario: 'signed-out' },
  { name: 'jobs', path: '/home', scenario: 'live' },
  { name: 'jobs-embedded', path: '/home?embedded=true', scenario: 'live' },
  { name: 'jobs-custom', path: '/home?embedded=true&colorMode=custom', scenario: 'live' },
  { name: 'jobs-trouble', path: '/jobs', scenario: 'trouble', act: openGaps },
  { name: 'jobs-waiting', path: '/jobs', scenario: 'waiting' },
  { name: 'jobs-stopping', path: '/jobs', scenario: 'stopping' },
  { name: 'jobs-fresh', path: '/jobs', scenario: 'fresh' },
  { name: 'jobs-cut', path: '/jobs', scenario: 'cut' },
  { name: 'jobs-down', path: '/jobs', scenario: 'down' },
  { name: 'jobs-loading', path: '/jobs', scenario: 'slow', settle: 600 },
  { name: 'jobs-stale', path: '/jobs', scenario: 'live', act: goStale },
  { name: 'integrations', path: '/integrations', scenario: 'live' },
  { name: 'integrations-embedded', path: '/integrations?embedded=true', scenario: 'live' },
  { name: 'integrations-fresh', path: '/integrations', scenario: 'fresh' },
  { name: 'wizard-kind', path: '/integrations', scenario: 'live', act: wizard('kind') },
  { name: 'wizard-connection', path: '/integrations', scenario: 'live', act: wizard('connection') },
  { name: 'wizard-missing', path: '/integrations', scenario: 'live', act: wizard('missing') },
  { name: 'wizard-failed', path: '/integrations', scenario: 'live', act: wizard('failed') },
  { name: 'wizard-test', path: '/integrations', scenario: 'live', act: wizard('test') },
  { name: 'wizard-scopes', path: '/integrations', scenario: 'live', act: wizard('scopes') },
  { name: 'wizard-edit', path: '/integrations', scenario: 'live', act: editScopes },
  {
    name: 'deactivate',
    path: '/integrations',
    scenario: 'live',
    act: (page) => page.getByRole('button', { name: 'Deactivate' }).first().click(),
  },
  { name: 'mappings', path: '/mappings', scenario: 'live' },
  { name: 'mappings-embedded', path: '/mappings?embedded=true', scenario: 'live' },
  { name: 'mappings-edited', path: '/mappings', scenario: 'live', act: editMappings },
  { name: 'mappings-preview', path: '/mappings', scenario: 'live', act: previewMappings },
  {
    name: 'mappings-add',
    path: '/mappings',
    scenario: 'live',
    act: (page) => page.getByTestId('add-mapping').click(),
  },
  { name: 'mappings-types', path: '/mappings?view=types', scenario: 'live' },
  {
    name: 'mappings-type',
    path: '/mappings?view=types',
    scenario: 'live',
    act: (page) => page.getByRole('button', { name: 'Edit' }).nth(1).click(),
  },
  { name: 'mappings-workflows', path: '/mappings?view=workflows', scenario: 'live' },
  {
    name: 'mappings-workflow',
    path: '/mappings?view=workflows',
    scenario: 'live',
    act: (page) => page.getByTestId('add-workflow').click(),
  },
  { name: 'mappings-commitment', path: '/mappings?view=workflows', scenario: 'live', act: secondCommitment },
  { name: 'mappings-commitment-lost', path: '/mappings?view=workflows', scenario: 'live', act: lostCommitment },
  {
    name: 'mappings-delete',
    path: '/mappings?view=workflows',
    scenario: 'live',
    act: async (page) => {
      await page.getByTestId('step').nth(1).getByRole('button', { name: 'Delete' }).click();
      await page.getByTestId('impact').waitFor();
    },
  },
  { name: 'mappings-fresh', path: '/mappings', scenario: 'fresh' },
  { name: 'mappings-types-fresh', path: '/mappings?view=types', scenario: 'fresh' },
  { name: 'mappings-down', path: '/mappings', scenario: 'down' },
  { name: 'dora', path: '/metrics/dora', scenario: 'live' },
  { name: 'dora-embedded', path: '/metrics/dora?embedded=true', scenario: 'live' },
  { name: 'dora-lead', path: '/metrics/dora?metric=lead_time_for_changes&days=180', scenario: 'live', act: hoverChart },
  {
    name: 'dora-table',
    path: '/metrics/dora?metric=change_failure_rate',
    scenario: 'live',
    act: (page) => page.getByTestId('chart-as-table').click(),
  },
  { name: 'dora-restore', path: '/metrics/dora?metric=time_to_restore&days=30', scenario: 'live' },
  { name: 'dora-fresh', path: '/metrics/dora', scenario: 'fresh' },
  { name: 'dora-down', path: '/metrics/dora', scenario: 'down' },
  { name: 'flow', path: '/metrics/flow', scenario: 'live' },
  { name: 'flow-embedded', path: '/metrics/flow?embedded=true', scenario: 'live' },
  { name: 'flow-tables', path: '/metrics/flow?metric=throughput&project=CORE', scenario: 'live', act: flowTables },
  { name: 'flow-nothing', path: '/metrics/flow?metric=work_item_age&project=DATA', scenario: 'live' },
  { name: 'flow-untried', path: '/metrics/flow?project=MOB&days=30', scenario: 'live' },
  { name: 'flow-fresh', path: '/metrics/flow', scenario: 'fresh' },
  { name: 'reviews', path: '/metrics/reviews', scenario: 'live' },
  { name: 'reviews-embedded', path: '/metrics/reviews?embedded=true', scenario: 'live' },
  { name: 'reviews-stage', path: '/metrics/reviews?metric=pickup_time', scenario: 'live' },
  { name: 'reviews-fresh', path: '/metrics/reviews', scenario: 'fresh' },
  { name: 'quality', path: '/metrics/quality', scenario: 'live', act: openExamples },
  { name: 'quality-embedded', path: '/metrics/quality?embedded=true', scenario: 'live' },
  { name: 'quality-fresh', path: '/metrics/quality', scenario: 'fresh' },
  { name: 'quality-down', path: '/metrics/quality', scenario: 'down' },
];

/** Opens a view in a theme and waits until it stands. */
export async function visit(page, mock, view, theme) {
  mock.become(view.scenario);
  const address = new URL(view.path, mock.url);
  address.searchParams.set('theme', theme);
  await page.goto(address.href);
  if (view.settle) await page.waitForTimeout(view.settle);
  else await page.waitForLoadState('networkidle').catch(() => {});
  if (view.act) await view.act(page, mock);
  await page.waitForTimeout(250);
}

async function goStale(page, mock) {
  await page.getByTestId('job-jira_sync').waitFor();
  mock.become('down');
  await page.getByRole('button', { name: 'Refresh now' }).click();
  await page.getByTestId('stale').waitFor();
}

async function openGaps(page) {
  await page.getByTestId('git_sync-runs').getByRole('button').first().click();
}

async function hoverChart(page) {
  const box = await page.getByTestId('chart').boundingBox();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5);
}

async function editScopes(page) {
  await page.getByRole('button', { name: 'Edit' }).nth(1).click();
  await page.getByTestId('wizard-next').click();
  await page.getByTestId('connection-test').waitFor();
  await page.getByTestId('wizard-next').click();
  await page.getByTestId('scopes').waitFor();
}

async function editMappings(page) {
  await page.getByTestId('take-suggestions').click();
  await page.getByRole('checkbox', { name: 'Blocked' }).check();
  await page.getByRole('checkbox', { name: 'Won’t Do' }).check();
  await page.getByRole('button', { name: 'Delete the mapping of Backlog' }).click();
}

async function previewMappings(page) {
  await page.getByTestId('take-suggestions').click();
  await page.getByTestId('preview').click();
  await page.getByTestId('preview-moved').waitFor();
}

async function secondCommitment(page) {
  await page.getByTestId('add-step').first().click();
  await page.getByLabel('Name').fill('Promised');
  await page.getByRole('switch', { name: 'Commitment point' }).check();
  await page.getByTestId('step-form-save').click();
  await page.getByTestId('commitment-taken').waitFor();
}

async function lostCommitment(page) {
  await page.getByTestId('edit-step').nth(1).click();
  await page.getByRole('switch', { name: 'Commitment point' }).uncheck();
  await page.getByTestId('change-preview').getByTestId('preview-p85').waitFor();
  await page.getByTestId('step-form-save').click();
  await page.getByTestId('commitment-needed').waitFor();
}

async function flowTables(page) {
  await page.getByTestId('show-rows').click();
  await page.getByTestId('rows').waitFor();
  for (const name of ['chart', 'scatter', 'cumulative-flow']) await page.getByTestId(`${name}-as-table`).click();
  for (const details of await page.locator('main details').all()) await details.locator('summary').click();
}

async function openExamples(page) {
  await page.getByTestId('quality-checks').locator('summary').first().click();
}

function wizard(until) {
  return async (page) => {
    await page.getByTestId('add-integration').click();
    if (until === 'kind') return;
    await page.getByRole('radio', { name: /GitHub/ }).check();
    await page.getByTestId('wizard-next').click();
    if (until === 'connection') return;
    if (until !== 'missing') await page.getByLabel('Access token').fill(until === 'failed' ? 'bad' : 'good');
    await page.getByTestId('wizard-next').click();
    if (until === 'missing') return;
    await page.getByTestId('connection-test').waitFor();
    if (until !== 'scopes') return;
    await page.getByTestId('wizard-next').click();
    await page.getByRole('radio', { name: 'Only those I pick' }).check();
    for (const key of ['northwind/ledger', 'northwind/payments']) {
      await page.getByLabel('Search repositories').fill(key);
      await page.keyboard.press('Enter');
      await page.getByTestId('scopes').getByText(key).waitFor();
    }
    await page.getByText('404: needs Contents').waitFor();
  };
}
