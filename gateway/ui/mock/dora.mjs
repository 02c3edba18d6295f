// A believable DORA report: weekly values that drift, and the medians that follow from them.
import { ago } from './fixtures.mjs';

const day = 86_400_000;
const hour = 3600;

/** The same numbers at each start: a small generator instead of Math.random. */
export function numbers(seed) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const median = (values) => {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
};

export function report(query, { empty = false } = {}) {
  const from = new Date(query.get('from'));
  const to = new Date(query.get('to') ?? Date.now());
  const random = numbers(7 + (query.get('repository')?.length ?? 0));
  const series = [];
  for (let at = mondayOf(from); at <= to; at = new Date(at.getTime() + 7 * day)) series.push(week(at, random));
  const total = series.reduce((sum, { deployments }) => sum + deployments, 0);
  const days = Math.round((to - from) / day);
  return {
    window: { from: from.toISOString(), to: to.toISOString(), timezone: 'UTC', bucket: 'week' },
    as_of: empty ? null : ago(9 * 60_000),
    band_table: '2023',
    metrics: empty ? [] : metrics(series, total, days),
    series: empty ? [] : series,
  };
}

function week(at, random) {
  const deployment_days = Math.min(7, Math.round(2.6 + random() * 3.4));
  const deployments = deployment_days * Math.round(1 + random() * 3);
  const failed = random() < 0.45 ? Math.ceil(random() * 3) : 0;
  return {
    start: at.toISOString().slice(0, 10),
    deployments,
    deployment_days,
    lead_time_seconds: (18 + random() * 46) * hour,
    change_failure_rate: failed / deployments,
    recovery_seconds: failed > 0 ? (0.6 + random() * 5) * hour : null,
  };
}

function metrics(series, total, days) {
  const base = { kind: 'linear', version: 1, empty_reason: null, details: null };
  return [
    {
      ...base,
      name: 'deployment_frequency',
      value: median(series.map((point) => point.deployment_days)),
      unit: 'days_per_week',
      band: median(series.map((point) => point.deployment_days)) >= 5 ? 'ELITE' : 'HIGH',
      previous: 3,
      counted: total,
      excluded: [
        { reason: 'other_environment', count: 214 },
        { reason: 'no_environment_rule', count: 12 },
      ],
      formula:
        'Median over the weeks of the window of days with at least one successful production deployment, empty weeks included.',
      details: { deployments: total, deployments_per_day: total / days },
    },
    {
      ...base,
      name: 'lead_time_for_changes',
      value: median(series.map((point) => point.lead_time_seconds)),
      unit: 'seconds',
      band: 'HIGH',
      previous: 47.2 * hour,
      counted: 386,
      excluded: [{ reason: 'negative_interval', count: 2 }],
      formula:
        'Median time from the earliest authored commit of a pull request to the end of the first successful production deployment that contains it.',
    },
    {
      ...base,
      kind: null,
      name: 'change_failure_rate',
      value: 0.034,
      unit: 'ratio',
      band: 'ELITE',
      previous: 0.058,
      counted: total,
      excluded: [],
      formula:
        'Successful production deployments linked to an incident or rolled back by the next one, divided by all of them.',
    },
    {
      ...base,
      name: 'failed_deployment_recovery_time',
      value: 3.4 * hour,
      unit: 'seconds',
      band: 'HIGH',
      previous: 2.6 * hour,
      counted: 9,
      excluded: [{ reason: 'no_deployment', count: 3 }],
      formula:
        'Median time from the end of the deployment to the end of the incident, over incidents linked to a deployment and resolved in the window.',
    },
    {
      ...base,
      name: 'time_to_restore',
      value: null,
      unit: 'seconds',
      band: null,
      previous: null,
      counted: 0,
      excluded: [{ reason: 'negative_interval', count: 1 }],
      empty_reason: '12 incidents found, 0 resolved with a known start: the incident rule names no start field.',
      formula: 'Median time from the start to the end of an incident, over incidents resolved in the window.',
    },
  ];
}

export function mondayOf(at) {
  const monday = new Date(at);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  return monday;
}
