import type { Band, DoraMetric, DoraMetricName, DoraPoint, DoraReport } from '../../api/types';
import type { Tone } from '../../ui/Pill.svelte';

export const metricNames: DoraMetricName[] = [
  'deployment_frequency',
  'lead_time_for_changes',
  'change_failure_rate',
  'failed_deployment_recovery_time',
  'time_to_restore',
];

export const windows = [30, 90, 180];
export const usualWindow = 90;

export const bands: Band[] = ['ELITE', 'HIGH', 'MEDIUM', 'LOW'];

export const bandTone: Record<Band, Tone> = { ELITE: 'good', HIGH: 'info', MEDIUM: 'warn', LOW: 'bad' };

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

/** Deploying more often is better; of everything else less is. */
export function isBetter(name: DoraMetricName, direction: 'up' | 'down'): boolean {
  return (name === 'deployment_frequency') === (direction === 'up');
}

/** The metrics of a report in our order. */
export function ordered(report: DoraReport): DoraMetric[] {
  return metricNames
    .map((name) => report.metrics.find((metric) => metric.name === name))
    .filter((metric) => metric !== undefined);
}

export function windowFrom(text: string | null): number {
  const days = Number(text);
  return windows.includes(days) ? days : usualWindow;
}

export function metricFrom(text: string | null): DoraMetricName {
  return metricNames.find((name) => name === text) ?? 'deployment_frequency';
}
