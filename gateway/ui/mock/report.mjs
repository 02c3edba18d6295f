// What the reports of the mock share: a window cut into weeks, and metrics that hold what all metrics hold.
import { ago } from './fixtures.mjs';

const dayMs = 86_400_000;

/** The same numbers at each start: a small generator instead of Math.random. */
export function numbers(seed) {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

/** The frame of a report; `week` says what a week holds, given a source of numbers. */
export function frame(query, { empty, seed, week, metrics, recomputing = false }) {
  const from = new Date(query.get('from'));
  const to = new Date(query.get('to') ?? Date.now());
  const random = numbers(seed);
  const series = [];
  for (let at = mondayOf(from); at <= to; at = new Date(at.getTime() + 7 * dayMs))
    series.push({ start: at.toISOString().slice(0, 10), ...week(random) });
  return {
    window: { from: from.toISOString(), to: to.toISOString(), timezone: 'UTC', bucket: 'week' },
    as_of: empty ? null : ago(9 * 60_000),
    recomputing,
    metrics: empty ? [] : metrics(series, Math.round((to - from) / dayMs)),
    series: empty ? [] : series,
  };
}

/** Makes metrics of a report that share a formula and how many rows they count. */
export const metricsOf =
  (shared) =>
  (name, value, unit, more = {}) => ({
    name,
    value,
    unit,
    kind: 'linear',
    band: null,
    previous: value === null ? null : value * 0.9,
    excluded: [],
    version: 1,
    empty_reason: null,
    details: {},
    ...shared,
    ...more,
  });

function mondayOf(at) {
  const monday = new Date(at);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  return monday;
}
