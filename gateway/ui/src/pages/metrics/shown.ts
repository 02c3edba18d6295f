import type { SeriesPoint, Told } from '../../api/metrics';
import type { Metric } from '../../api/types';
import { dayIn } from '../../format/time';

/** A metric as a page shows it. */
export interface Shown {
  metric: Metric;
  name: string;
  /** What its chart is called. */
  chart: string;
  /** What it counts. */
  counted: string;
  /** Its value in each bucket, or null where there is no series. */
  values: (number | null)[] | null;
  kind: 'bars' | 'line';
  /** Which way is good, if any is. */
  better: 'up' | 'down' | null;
}

/** How a metric of a report is called and read, and where its series is. */
export interface Wording {
  name: string;
  chart: string;
  counted: string;
}

export interface Reading {
  series: string | null;
  better: 'up' | 'down' | null;
  kind?: 'bars' | 'line';
}

/** The metrics of a report in our order; what we do not know is left out. */
export function shownOf<Name extends string>(
  metrics: Metric[],
  series: SeriesPoint[],
  readings: Record<Name, Reading>,
  words: Record<Name, Wording>,
): Shown[] {
  return (Object.keys(readings) as Name[]).flatMap((name): Shown[] => {
    const metric = metrics.find((candidate) => candidate.name === name);
    if (metric === undefined) return [];
    const { series: key, better, kind = 'line' } = readings[name];
    return [{ ...words[name], metric, better, kind, values: key === null ? null : valuesOf(series, key) }];
  });
}

export const valuesOf = (series: SeriesPoint[], key: string): (number | null)[] =>
  series.map((point) => {
    const value = point[key];
    return typeof value === 'number' ? value : null;
  });

const weekMs = 7 * 86_400_000;

/** Whether the window holds only a part of the week that begins on this day, so that its value is no whole week's. */
export function isCut(start: string, { from, to, timezone }: Told['window']): boolean {
  const end = new Date(Date.parse(start) + weekMs).toISOString().slice(0, 10);
  return start < dayIn(timezone, from) || end > dayIn(timezone, to);
}
