// A believable DORA report: weekly values that drift, and the medians that follow from them.
import { frame, metricsOf } from './report.mjs';

const hour = 3600;

const median = (values) => {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
};

export const report = (query, { empty = false } = {}) => ({
  ...frame(query, { empty, seed: 7 + (query.get('repository')?.length ?? 0), week, metrics }),
  band_table: '2023',
});

function week(random) {
  const deployment_days = Math.min(7, Math.round(2.6 + random() * 3.4));
  const deployments = deployment_days * Math.round(1 + random() * 3);
  const failed = random() < 0.45 ? Math.ceil(random() * 3) : 0;
  return {
    deployments,
    deployment_days,
    lead_time_seconds: (18 + random() * 46) * hour,
    change_failure_rate: failed / deployments,
    recovery_seconds: failed > 0 ? (0.6 + random() * 5) * hour : null,
  };
}

function metrics(series, days) {
  const total = series.reduce((sum, { deployments }) => sum + deployments, 0);
  const metric = metricsOf({ details: null });
  return [
    metric('deployment_frequency', median(series.map((point) => point.deployment_days)), 'days_per_week', {
      band: 'HIGH',
      previous: 3,
      counted: total,
      excluded: [
        { reason: 'other_environment', count: 214 },
        { reason: 'no_environment_rule', count: 12 },
      ],
      formula:
        'Median over the weeks of the window of days with at least one successful production deployment, empty weeks included.',
      details: { deployments: total, deployments_per_day: total / days },
    }),
    metric('lead_time_for_changes', median(series.map((point) => point.lead_time_seconds)), 'seconds', {
      band: 'HIGH',
      previous: 47.2 * hour,
      counted: 386,
      excluded: [{ reason: 'negative_interval', count: 2 }],
      formula:
        'Median time from the earliest authored commit of a pull request to the end of the first successful production deployment that contains it.',
    }),
    metric('change_failure_rate', 0.034, 'ratio', {
      kind: null,
      band: 'ELITE',
      previous: 0.058,
      counted: total,
      formula:
        'Successful production deployments linked to an incident or rolled back by the next one, divided by all of them.',
    }),
    metric('failed_deployment_recovery_time', 3.4 * hour, 'seconds', {
      band: 'HIGH',
      previous: 2.6 * hour,
      counted: 9,
      excluded: [{ reason: 'no_deployment', count: 3 }],
      formula:
        'Median time from the end of the deployment to the end of the incident, over incidents linked to a deployment and resolved in the window.',
    }),
    metric('time_to_restore', null, 'seconds', {
      counted: 0,
      excluded: [{ reason: 'negative_interval', count: 1 }],
      empty_reason: '12 incidents found, 0 resolved with a known start: the incident rule names no start field.',
      formula: 'Median time from the start to the end of an incident, over incidents resolved in the window.',
    }),
  ];
}
