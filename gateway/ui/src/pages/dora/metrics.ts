import type { DoraMetricName, DoraPoint, DoraReport } from '../../api/types';
import { t } from '../../messages';
import type { Shown } from '../metrics/shown';

export const metricNames: DoraMetricName[] = [
  'deployment_frequency',
  'lead_time_for_changes',
  'change_failure_rate',
  'failed_deployment_recovery_time',
  'time_to_restore',
];

/** The weekly values of a metric, or null if the report has no series for it. */
export function seriesOf(name: DoraMetricName, points: DoraPoint[]): (number | null)[] | null {
  switch (name) {
    case 'deployment_frequency':
      return points.map((point) => point.deployment_days);
    case 'lead_time_for_changes':
      return points.map((point) => point.lead_time_seconds);
    case 'change_failure_rate':
      return points.map((point) => point.change_failure_rate);
    case 'failed_deployment_recovery_time':
      return points.map((point) => point.recovery_seconds);
    case 'time_to_restore':
      return points.some((point) => point.restore_seconds !== undefined)
        ? points.map((point) => point.restore_seconds ?? null)
        : null;
  }
}

/** The metrics of a report in our order. Deploying more often is better; of everything else less is. */
export function shownOf(report: DoraReport): Shown[] {
  return metricNames.flatMap((name): Shown[] => {
    const metric = report.metrics.find((candidate) => candidate.name === name);
    if (metric === undefined) return [];
    const often = name === 'deployment_frequency';
    return [
      {
        metric,
        ...t.dora.metrics[name],
        counted: t.dora.countedWhat[name],
        values: seriesOf(name, report.series),
        kind: often ? 'bars' : 'line',
        better: often ? 'up' : 'down',
      },
    ];
  });
}
