// Pull requests, their reviews, and what is missing from the data.
import { ago, repositories } from './fixtures.mjs';
import { frame, metricsOf } from './report.mjs';

const dayMs = 86_400_000;
const hour = 3600;

const people = ['ada-b', 'grace-h', 'linus-t', 'margaret-h', 'renovate[bot]'];

export const report = (query, { empty = false } = {}) =>
  frame(query, {
    empty,
    seed: 13,
    week: (random) => ({
      merged: Math.round(30 + random() * 20),
      coding_time_p50: (8 + random() * 9) * hour,
      pickup_time_p50: (4 + random() * 6) * hour,
      review_time_p50: (9 + random() * 8) * hour,
      deploy_time_p50: (14 + random() * 10) * hour,
      time_to_merge_p50: (16 + random() * 12) * hour,
      time_to_merge_p85: (50 + random() * 20) * hour,
      size_p50: Math.round(180 + random() * 120),
      merged_without_review: random() * 0.2,
      reverted: 0,
    }),
    metrics: () => metrics(query.get('explain') === 'true'),
  });

function metrics(explained) {
  const metric = metricsOf({
    counted: 512,
    excluded: [{ reason: 'bot', count: 35 }],
    formula: 'median of opened to merged; p85 and p95 by nearest rank',
  });
  const stage = (name, hours, more) =>
    metric(name, hours * hour, 'seconds', { details: { p85: hours * 3.4 * hour, p95: hours * 5 * hour }, ...more });
  return [
    metric('merged', 512, 'pull_requests', { kind: null, details: { per_week: 39.8 } }),
    stage('coding_time', 13),
    stage('pickup_time', 6.9, { excluded: [{ reason: 'no_review', count: 56 }] }),
    stage('review_time', 12.3),
    stage('deploy_time', 19.8, { excluded: [{ reason: 'not_deployed', count: 149 }] }),
    stage('time_to_merge', 21.8),
    metric('size', 237, 'lines', { details: { p85: 490, p95: 553, total: 121_400 } }),
    metric('changed_files', 14, 'files'),
    metric('reviews', 2, 'reviews'),
    metric('reviewers', 1, 'people'),
    metric('comments', 3, 'comments'),
    metric('review_rounds', 0, 'rounds', { previous: 0 }),
    metric('merged_without_review', 0.099, 'ratio', { kind: null }),
    metric('reverted', 0.005, 'ratio', { kind: null }),
    metric('open_pull_request_age', 4.1 * 24 * hour, 'seconds', {
      counted: 16,
      previous: null,
      ...(explained ? { ids: pullsOfPeople() } : {}),
    }),
  ];
}

export const load = (query, { empty = false } = {}) => ({
  window: { from: new Date(query.get('from')).toISOString(), to: ago(0), timezone: 'UTC', bucket: 'week' },
  as_of: ago(9 * 60_000),
  counted: empty ? 0 : 246,
  excluded: empty
    ? []
    : [
        { reason: 'bot', count: 48 },
        { reason: 'own_pull_request', count: 6 },
      ],
  formula: 'reviews that somebody gave in the window to pull requests of others',
  version: 1,
  empty_reason: empty ? 'Nobody reviewed anything in this window.' : null,
  people: empty
    ? []
    : [112, 71, 40, 23].map((reviews, at) => ({ login: people[at], reviews, pull_requests: Math.ceil(reviews * 0.7) })),
});

export function openPulls() {
  return Array.from({ length: 24 }, (_, at) => ({
    repository: repositories[at % repositories.length],
    number: 700 + at,
    title: ['Validate addresses before checkout', 'Drop the old cache', 'Bump tokio from 1.40 to 1.41'][at % 3],
    author: at % 3 === 2 ? 'renovate[bot]' : people[at % 4],
    draft: at % 7 === 0,
    created_at: ago((at + 1) ** 1.4 * 0.6 * dayMs),
    reviews: at % 3,
    bot: at % 3 === 2,
  }));
}

const pullsOfPeople = () =>
  openPulls()
    .filter(({ author }) => !author.endsWith('[bot]'))
    .map(({ repository, number }) => `${repository}#${number}`);

const checks = [
  [
    'unmapped_statuses',
    2,
    21,
    ['Blocked', 'Testing on staging with the customer'],
    'Map each to a step under Mappings; suggestions wait there.',
  ],
  ['unmapped_issue_types', 0, 5, [], 'Say under Mappings what each of them is, or switch it off there.'],
  [
    'issues_unmapped',
    46,
    12_843,
    ['PAY-311', 'PAY-312', 'CORE-7'],
    'Map their statuses to steps under Mappings; suggestions wait there.',
  ],
  ['issues_without_history', 0, 12_843, [], 'Run the Jira job once more: it reads on where a changelog was cut off.'],
  [
    'pull_requests_without_issue',
    1_432,
    6_204,
    ['northwind/billing#12', 'northwind/search#88'],
    "Name the issue's key in the branch or the title, for example PAY-311.",
  ],
  [
    'pull_requests_without_review',
    125,
    5_218,
    ['northwind/ledger#4'],
    'Have them reviewed before they are merged, for example by a branch protection rule.',
  ],
  [
    'deployments_without_environment',
    12,
    1_877,
    ['northwind/mailer prod-eu'],
    'Add a deployment rule for its name, or call the environment as the rules know it.',
  ],
  [
    'deployments_of_unknown_commits',
    9,
    1_412,
    ['northwind/legacy-import 4c1d9e0'],
    'Keep deployed commits on GitHub, by a branch or a tag, so that it can tell what they brought.',
  ],
  ['incidents_without_deployment', 0, 0, [], 'Link the incident to the issue that caused it, with "is caused by".'],
  ['stale_connections', 0, 2, [], 'Look at the job of this connection: it has not finished for long.'],
  [
    'gaps',
    2,
    56,
    ['northwind/payments', 'northwind/ledger-archive'],
    'Grant the token access to what it could not read, or take it off the list.',
  ],
];

/** A page of what a check found: as many rows as it counts. */
export function lacking(name, cursor) {
  const [, count, , examples] = checks.find(([each]) => each === name);
  const first = Number(cursor ?? 0);
  const last = Math.min(count, first + 50);
  const items = Array.from({ length: last - first }, (_, at) => ({
    name: first + at < examples.length ? examples[first + at] : `PAY-${400 + first + at}`,
    detail: at % 3 === 0 ? 'Story' : null,
    integration_id: 'jira',
  }));
  return { items, next_cursor: last < count ? String(last) : null };
}

export const quality = ({ empty = false } = {}) => ({
  score: empty ? null : 0.948,
  formula: '1 - mean of the shares of all checks that have rows',
  version: 1,
  as_of: ago(9 * 60_000),
  timezone: 'UTC',
  counted: empty ? 0 : 9,
  excluded: empty ? [] : [{ reason: 'nothing_to_look_at', count: 2 }],
  empty_reason: empty ? 'Nothing was read yet.' : null,
  checks: empty
    ? []
    : checks.map(([name, count, total, examples, fix]) => ({
        name,
        count,
        total,
        share: total === 0 ? null : count / total,
        examples,
        fix,
      })),
});
