// An invented company, for looking at the page without a gateway.

const minute = 60_000;
const hour = 60 * minute;

export const ago = (ms) => new Date(Date.now() - ms).toISOString();
export const ahead = (ms) => ago(-ms);

let lastId = 0;
/** Ids in the shape of UUIDv7, in the order they were made. */
export function newId() {
  lastId += 1;
  return `0193a5c2-7b10-7000-8000-${lastId.toString(16).padStart(12, '0')}`;
}

export const session = (origins) => ({
  user: { id: newId(), email: 'ada.brook@example.com', first_name: 'Ada', last_name: 'Brook' },
  client: { id: newId(), name: 'Northwind Labs', logo_url: null },
  theme: 'light',
  color_mode: 'default',
  colors: {
    light: {
      color1: '#e8710a',
      color2: '#0f766e',
      color3: '#7c3aed',
      color4: '#be123c',
      color5: '#475569',
      on_color1: '#ffffff',
    },
    dark: {
      color1: '#f59e4b',
      color2: '#2dd4bf',
      color3: '#a78bfa',
      color4: '#fb7185',
      color5: '#94a3b8',
      on_color1: '#1c1206',
    },
  },
  return_url: `${origins[0]}/home`,
  frontend_origins: origins,
  expires_at: ahead(hour),
  version: '0.1.0',
});

export const schedule = () => ({
  enabled: true,
  interval_minutes: 60,
  timezone: 'UTC',
  retry: { enabled: true, interval_minutes: 15, max_attempts: 3 },
});

const step = (name, status, tasks_done, tasks_total, rows) => ({ name, status, tasks_done, tasks_total, rows });

export const jiraSteps = {
  done: () => [
    step('projects', 'DONE', 1, 1, 9),
    step('statuses', 'DONE', 1, 1, 46),
    step('issues', 'DONE', 9, 9, 12_843),
    step('sprints', 'DONE', 4, 4, 118),
    step('deletions', 'DONE', 9, 9, 7),
    step('links', 'DONE', 3, 3, 2_310),
    step('metrics', 'DONE', 1, 1, 640),
  ],
  running: () => [
    step('projects', 'DONE', 1, 1, 9),
    step('statuses', 'DONE', 1, 1, 46),
    step('issues', 'RUNNING', 4, 9, 5_760),
    step('sprints', 'PENDING', 0, 4, 0),
    step('deletions', 'PENDING', 0, 9, 0),
    step('links', 'PENDING', 0, 0, 0),
    step('metrics', 'PENDING', 0, 0, 0),
  ],
  failed: () => [
    step('projects', 'DONE', 1, 1, 9),
    step('statuses', 'DONE', 1, 1, 46),
    step('issues', 'FAILED', 6, 9, 8_112),
    step('sprints', 'SKIPPED', 0, 4, 0),
    step('deletions', 'SKIPPED', 0, 9, 0),
    step('links', 'SKIPPED', 0, 0, 0),
    step('metrics', 'SKIPPED', 0, 0, 0),
  ],
};

export const gitSteps = {
  done: () => [
    step('repositories', 'DONE', 1, 1, 42),
    step('pull_requests', 'DONE', 42, 42, 6_204),
    step('deployments', 'DONE', 42, 42, 1_877),
    step('commits', 'DONE', 42, 42, 18_420),
    step('missing_commits', 'DONE', 42, 42, 61),
    step('links', 'DONE', 2, 2, 4_116),
    step('metrics', 'DONE', 1, 1, 640),
  ],
  running: () => [
    step('repositories', 'DONE', 1, 1, 42),
    step('pull_requests', 'RUNNING', 17, 42, 2_408),
    step('deployments', 'PENDING', 0, 42, 0),
    step('commits', 'PENDING', 0, 42, 0),
    step('missing_commits', 'PENDING', 0, 42, 0),
    step('links', 'PENDING', 0, 0, 0),
    step('metrics', 'PENDING', 0, 0, 0),
  ],
};

const rowsIn = (steps) => steps.reduce((sum, each) => sum + each.rows, 0);

function run(job_type, startedAgo, tookMs, outcome, more = {}) {
  const steps = more.steps ?? (job_type === 'jira_sync' ? jiraSteps.done() : gitSteps.done());
  return {
    id: newId(),
    job_type,
    outcome,
    trigger: 'schedule',
    started_at: ago(startedAgo),
    finished_at: outcome === null ? null : ago(startedAgo - tookMs),
    attempt: 1,
    requests: Math.round(rowsIn(steps) / 48),
    gaps: [],
    error: null,
    ...more,
    steps,
  };
}

export const gaps = [
  {
    scope: 'northwind/payments',
    reason: 'GitHub accepted the token but it cannot read this repository (404). Ask an owner to grant Contents: read.',
  },
  {
    scope: 'northwind/ledger-archive',
    reason: 'The repository is archived and its deployments are hidden from this token.',
  },
];

export const runs = () => ({
  jira_sync: [
    run('jira_sync', 74 * minute, 4.4 * minute, 'FINISHED'),
    run('jira_sync', 134 * minute, 4.1 * minute, 'FINISHED'),
    run('jira_sync', 3.2 * hour, 1.2 * minute, 'STOPPED', { trigger: 'manual', steps: jiraSteps.running() }),
    run('jira_sync', 4.2 * hour, 4.6 * minute, 'FINISHED'),
  ],
  git_sync: [
    run('git_sync', 68 * minute, 7.8 * minute, 'FINISHED', { gaps }),
    run('git_sync', 128 * minute, 8.4 * minute, 'FINISHED', { trigger: 'retry', attempt: 2 }),
    run('git_sync', 143 * minute, 2.2 * minute, 'ERROR', {
      steps: gitSteps.running(),
      error: 'GitHub answered 502 five times in a row. The retry goes on from the last page that was kept.',
    }),
    run('git_sync', 3.3 * hour, 7.6 * minute, 'FINISHED'),
  ],
});

export const openRun = (job_type, steps) => run(job_type, 96_000, 0, null, { trigger: 'manual', steps });
export const failedRun = (job_type, steps, error) => run(job_type, 22 * minute, 3 * minute, 'ERROR', { steps, error });

export function job(job_type, status, more = {}) {
  const done = job_type === 'jira_sync' ? jiraSteps.done() : gitSteps.done();
  const steps = more.steps ?? (status === 'NOT_STARTED' ? [] : done);
  return {
    job_type,
    status,
    version: 40,
    active: true,
    progress: status === 'FINISHED' ? 100 : null,
    step: null,
    rows: rowsIn(steps),
    rows_per_second: null,
    eta_seconds: null,
    waiting_until: null,
    next_run_at: ahead(job_type === 'jira_sync' ? 43 * minute : 48 * minute),
    last_run_id: newId(),
    last_success_at: ago(job_type === 'jira_sync' ? 12 * minute : 60 * minute),
    error: null,
    pending_command: null,
    ...more,
    steps,
  };
}

const services = [
  'accounts',
  'billing',
  'catalog',
  'checkout',
  'gateway',
  'identity',
  'inventory',
  'ledger',
  'mailer',
  'payments',
  'pricing',
  'search',
  'shipping',
  'storefront',
];
export const repositories = services.map((name) => `northwind/${name}`);
export const projects = ['PAY', 'CORE', 'WEB', 'OPS', 'DATA'];

export const integrations = () => [
  {
    id: newId(),
    type: 'jira',
    name: 'Northwind Jira',
    base_url: 'https://northwind.atlassian.net',
    username: 'etl@example.com',
    projects,
    active: true,
    health: 'healthy',
    health_detail: null,
    last_sync_at: ago(12 * minute),
    created_at: ago(90 * 24 * hour),
  },
  {
    id: newId(),
    type: 'github',
    name: 'Northwind GitHub',
    base_url: 'https://api.github.com',
    username: null,
    repositories,
    active: true,
    health: 'warning',
    health_detail:
      'northwind/payments cannot be read (404). Ask an owner to grant Contents: read. 13 of 14 repositories are ready.',
    last_sync_at: ago(hour),
    created_at: ago(88 * 24 * hour),
  },
  {
    id: newId(),
    type: 'jira',
    name: 'Old service desk',
    base_url: 'https://northwind-desk.atlassian.net',
    username: 'etl@example.com',
    projects: ['DESK'],
    active: false,
    health: 'unknown',
    health_detail: null,
    last_sync_at: ago(40 * 24 * hour),
    created_at: ago(300 * 24 * hour),
  },
];

export function connectionTest(draft) {
  const github = draft.type === 'github';
  const source = github ? 'GitHub' : 'Jira';
  const secret = draft.token ?? draft.api_token ?? 'stored';
  const check = (name, status, detail, hint = '') => ({ name, status, detail, hint });
  if (secret.startsWith('bad')) {
    return {
      ok: false,
      checks: [
        check('address', 'ok', `${new URL(draft.base_url).host} is a public address.`),
        check('reachable', 'ok', 'Answered in 84 ms over TLS 1.3.'),
        check(
          'auth',
          'failed',
          `${source} refused this token (401).`,
          'Paste a new one; tokens cannot be read back once they are lost.',
        ),
        check('permissions', 'skipped', 'Not tried.'),
        check('scope', 'skipped', 'Not tried.'),
        check('quota', 'skipped', 'Not tried.'),
        check('clock', 'ok', 'Differs by 0.4 s.'),
      ],
      scopes: [],
    };
  }
  // GitHub's list may be endless, so only what was asked for is looked at; Jira tells all its projects.
  const asked = github ? (draft.repositories ?? []) : projects;
  const scopes = scopesOf(draft.type, asked);
  const lost = scopes.find((scope) => !scope.available);
  return {
    ok: true,
    checks: [
      check('address', 'ok', `${new URL(draft.base_url).host} is a public address.`),
      check('reachable', 'ok', 'Answered in 84 ms over TLS 1.3.'),
      check('auth', 'ok', `${source} accepted the token.`),
      check(
        'permissions',
        'ok',
        github ? 'Metadata, Contents, Pull requests and Deployments: read.' : 'Browse projects.',
      ),
      lost
        ? check(
            'scope',
            'warning',
            `GitHub accepted this token but it cannot read \`${lost.key}\` (404).`,
            'Ask an owner to grant Contents: read.',
          )
        : check('scope', 'ok', github ? 'What the token can see is ready.' : 'All five projects can be read.'),
      check('quota', 'ok', github ? '4,812 of 5,000 requests left this hour.' : 'No limit met.'),
      check('clock', 'ok', 'Differs by 0.4 s.'),
    ],
    scopes,
  };
}

const projectNames = { PAY: 'Payments', CORE: 'Core platform', WEB: 'Web shop', OPS: 'Operations', DATA: 'Data' };
const unreadable = 'northwind/payments';

export function scopesOf(type, keys = type === 'github' ? repositories : projects) {
  return keys.map((key) => ({
    key,
    name: projectNames[key] ?? key,
    available: key !== unreadable,
    detail: key === unreadable ? '404: needs Contents: read' : '',
  }));
}

export const problem = (status, code, title, detail, hint = null) => ({
  type: `https://pulse.example/problems/${code}`,
  title,
  status,
  code,
  detail,
  hint,
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  errors: [],
});
