// Work that flows: what a team of some twenty people does in three months.
import { ago } from './fixtures.mjs';
import { frame, metricsOf, numbers } from './report.mjs';

const dayMs = 86_400_000;
const day = 86_400;

const steps = [
  ['Backlog', 'TO_DO'],
  ['Ready', 'TO_DO'],
  ['Development', 'IN_PROGRESS'],
  ['Review', 'IN_PROGRESS'],
  ['Released', 'DONE'],
].map(([name, category], at) => ({ id: `step-${at}`, workflow_id: 'delivery', name, category }));

const summaries = ['Show VAT on invoices', 'Retry failed webhooks', 'Search by order number', 'Faster cold start'];

/** Issues that were done in the last half year, and some that are under way. */
export function issues() {
  const random = numbers(11);
  const issue = (at, more) => ({
    key: `PAY-${at + 1}`,
    project: 'PAY',
    type: ['Story', 'Bug', 'Epic', 'Task'][at % 4],
    status: 'Done',
    step: 'Released',
    summary: summaries[at % summaries.length],
    started_at: null,
    done_at: null,
    cycle_time_seconds: null,
    ...more,
  });
  const done = Array.from({ length: 420 }, (_, at) => {
    const cycle_time_seconds = (0.2 + random() ** 3 * 16) * day;
    const done_at = ago((420 - at) * 0.43 * dayMs);
    const started_at = new Date(Date.parse(done_at) - cycle_time_seconds * 1000).toISOString();
    return issue(at, { done_at, started_at, cycle_time_seconds });
  });
  const open = Array.from({ length: 14 }, (_, at) =>
    issue(420 + at, {
      status: 'In Review',
      step: at % 3 === 0 ? 'Review' : 'Development',
      started_at: ago((14 - at) ** 1.3 * dayMs),
    }),
  );
  return [...done, ...open];
}

export function report(query, { empty = false } = {}) {
  const told = frame(query, {
    empty,
    seed: 5,
    recomputing: query.get('project') === 'CORE',
    week: (random) => {
      const cycle = (2.6 + random() * 2) * day;
      return {
        throughput: Math.round(12 + random() * 9),
        wip: Math.round(10 + random() * 8),
        lead_time_p50: cycle * 1.5,
        lead_time_p85: cycle * 2.6,
        cycle_time_p50: cycle,
        cycle_time_p85: cycle * 2,
      };
    },
    metrics: () => metrics(query.get('explain') === 'true'),
  });
  return {
    ...told,
    steps: steps.map((step, at) => ({
      ...step,
      ...spent((4 - at * 0.7) * day, at * 3, "sum of an issue's stays in the step, of issues done in the window"),
    })),
    categories: ['TO_DO', 'IN_PROGRESS', 'DONE'].map((category, at) => ({
      category,
      ...spent(
        (5 - at * 1.4) * day,
        at,
        "sum of an issue's stays in steps of the category, of issues done in the window",
      ),
    })),
    about: {
      cumulative_flow: {
        formula: 'issues that entered a step until the end of the day - those that left it',
        version: 2,
        counted: 1_102,
        excluded: [{ reason: 'unmapped_status', count: 46 }],
        kinds: {},
      },
    },
    cumulative_flow: empty ? [] : days(new Date(told.window.from), new Date(told.window.to)),
  };
}

const ranks = { seconds_p50: 'linear', seconds_p85: 'nearest_rank' };

const spent = (seconds_p50, never, formula) => ({
  counted: 198 - never,
  seconds_p50,
  seconds_p85: 8 * day,
  kinds: ranks,
  excluded: never === 0 ? [] : [{ reason: 'never_there', count: never }],
  formula,
  version: 1,
});

function days(from, to) {
  const random = numbers(3);
  const all = [];
  let done = 800;
  for (let at = from.getTime(); at <= to.getTime(); at += dayMs) {
    const throughput = Math.round(random() * 5);
    done += throughput;
    const counts = [60 + random() * 10, 14 + random() * 4, 9 + random() * 4, 5 + random() * 6, done];
    all.push({
      day: new Date(at).toISOString().slice(0, 10),
      throughput,
      wip: Math.round(counts[2] + counts[3]),
      steps: Object.fromEntries(steps.map(({ id }, step) => [id, Math.round(counts[step])])),
    });
  }
  return all;
}

function metrics(explained) {
  const metric = metricsOf({
    counted: 198,
    formula: 'median of done - committed; p85 and p95 by nearest rank',
    ...(explained ? { ids: ['PAY-311', 'PAY-312', 'PAY-340'] } : {}),
  });
  const p = (p85, p95) => ({
    details: { p85: p85 * day, p95: p95 * day },
    kinds: { value: 'linear', p85: 'nearest_rank', p95: 'nearest_rank' },
  });
  return [
    metric('lead_time', 4.6 * day, 'seconds', { ...p(9, 14), excluded: [{ reason: 'unmapped_status', count: 46 }] }),
    metric('cycle_time', 2.1 * day, 'seconds', p(7, 12)),
    metric('customer_lead_time', 11.2 * day, 'seconds', p(24, 41)),
    metric('flow_efficiency', 0.62, 'ratio', { excluded: [{ reason: 'zero_lead_time', count: 12 }] }),
    metric('rework', 0.087, 'ratio', { kind: null, details: { entries: 21 } }),
    metric('throughput', 198, 'issues', { kind: null, previous: 171, details: { per_week: 15.4 } }),
    metric('wip', 14, 'issues', { kind: null, counted: 14, previous: 17 }),
    metric('work_item_age', null, 'seconds', { counted: 0, empty_reason: 'No issue is in progress now.' }),
  ];
}

export function forecast(query) {
  const none = query.get('project') === 'DATA';
  const young = query.get('project') === 'MOB';
  const check = (at, actual) => ({
    day: ago(at * 7 * dayMs).slice(0, 10),
    p50: 31,
    p85: 26,
    p95: 22,
    actual,
    hit: actual >= 26,
  });
  return {
    window: { from: new Date(query.get('from')).toISOString(), to: ago(0), timezone: 'UTC', bucket: 'week' },
    as_of: ago(9 * 60_000),
    trials: 10_000,
    items: Number(query.get('items') ?? 14),
    until: query.get('until') ?? ago(-30 * dayMs).slice(0, 10),
    history: { days: 89, done: none ? 0 : 198, excluded: [{ reason: 'unmapped_status', count: 46 }] },
    when: none ? null : { p50: '2026-12-04', p85: '2026-12-07', p95: '2026-12-09' },
    how_many: none ? null : { p50: 66, p85: 58, p95: 52 },
    back_test: young
      ? { horizon_days: 14, checks: [], hits: 0, hit_rate: null }
      : {
          horizon_days: 14,
          checks: [check(6, 30), check(5, 24), check(4, 33), check(3, 29)],
          hits: 3,
          hit_rate: 0.75,
        },
    formula: "the throughput of the window's days, drawn at random until the items are done",
    version: 1,
    kinds: { p50: 'nearest_rank', p85: 'nearest_rank', p95: 'nearest_rank' },
    empty_reason: none ? 'No issue was done in this window, so nothing can be foretold.' : null,
  };
}
