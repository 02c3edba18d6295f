import type { FlowDay, FlowStep, Issue } from '../../api/metrics';
import type { Reading } from '../metrics/shown';

export const readings = {
  lead_time: { series: 'lead_time_p50', better: 'down' },
  cycle_time: { series: 'cycle_time_p50', better: 'down' },
  customer_lead_time: { series: null, better: 'down' },
  throughput: { series: 'throughput', better: 'up', kind: 'bars' },
  wip: { series: 'wip', better: null, kind: 'bars' },
  work_item_age: { series: null, better: 'down' },
  flow_efficiency: { series: null, better: 'up' },
  rework: { series: null, better: 'down' },
} satisfies Record<string, Reading>;

/** An issue that is done. */
export interface Dot {
  key: string;
  summary: string | null;
  /** When it was done, in milliseconds since the epoch. */
  at: number;
  seconds: number;
}

/** The issues that were done since `from`, the latest last. */
export function dotsOf(issues: Issue[], from: string): Dot[] {
  const since = Date.parse(from);
  return issues
    .flatMap(({ key, summary, done_at, cycle_time_seconds }): Dot[] => {
      if (done_at === null || cycle_time_seconds === null) return [];
      return [{ key, summary, at: Date.parse(done_at), seconds: cycle_time_seconds }];
    })
    .filter((dot) => dot.at >= since)
    .sort((a, b) => a.at - b.at);
}

export interface InProgress {
  key: string;
  summary: string | null;
  step: string;
  seconds: number;
}

/** Issues in a step that is in progress, the oldest first. */
export function inProgress(issues: Issue[], steps: FlowStep[], now: number): InProgress[] {
  const names = new Set(steps.filter(({ category }) => category === 'IN_PROGRESS').map(({ name }) => name));
  return issues
    .flatMap(({ key, summary, step, started_at, done_at }): InProgress[] => {
      if (step === null || started_at === null || done_at !== null || !names.has(step)) return [];
      return [{ key, summary, step, seconds: (now - Date.parse(started_at)) / 1000 }];
    })
    .sort((a, b) => b.seconds - a.seconds);
}

export interface Layer {
  id: string;
  name: string;
  category: string;
  /** How many stand there at the end of each day. */
  counts: number[];
}

/** The steps that anything stood in, the last of the workflow first: what is done lies at the bottom of the chart. */
export function layersOf(days: FlowDay[], steps: FlowStep[]): Layer[] {
  const known = new Set(steps.map(({ id }) => id));
  const gone = [...new Set(days.flatMap((day) => Object.keys(day.steps)))].filter((id) => !known.has(id));
  const all = [...steps, ...gone.map((id) => ({ id, name: '', category: '' }))];
  return all
    .map(({ id, name, category }) => ({ id, name, category, counts: days.map((day) => day.steps[id] ?? 0) }))
    .filter(({ counts }) => counts.some((count) => count > 0))
    .reverse();
}

/**
 * What is done before the window is no news and would flatten everything above it: the bottom layers of finished work
 * begin at zero.
 */
export const fromTheStart = (layers: Layer[]): Layer[] =>
  layers.map((layer) => {
    if (layer.category !== 'DONE' && layer.category !== 'DISCARDED') return layer;
    const least = Math.min(...layer.counts);
    return { ...layer, counts: layer.counts.map((count) => count - least) };
  });

/** A whole number from 1, as an address may say it. */
export function itemsFrom(text: string | null): number | null {
  const items = Number(text);
  return text !== null && Number.isInteger(items) && items >= 1 && items <= 100_000 ? items : null;
}

/** A day, as an address may say it. */
export const dayFrom = (text: string | null): string | null =>
  text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
