import { scaleLinear } from 'd3-scale';

import type { Unit } from '../api/types';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Steps at which a clock or a calendar is cut, not a ruler. */
const timeSteps = [
  1,
  5,
  10,
  30,
  minute,
  5 * minute,
  10 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  5 * day,
  7 * day,
  14 * day,
  28 * day,
  84 * day,
];

const wantedTicks = 4;

/** Ticks from zero to at least `most`, at steps a person would choose for the unit. */
export function ticks(most: number, unit: Unit): number[] {
  switch (unit) {
    case 'days_per_week':
      return [0, 1, 2, 3, 4, 5, 6, 7];
    case 'seconds':
      return multiples(timeStep(most), most);
    case 'ratio':
      return multiples(ratioStep(most), most);
    default:
      return multiples(countStep(most), most);
  }
}

function timeStep(most: number): number {
  const least = most / wantedTicks;
  return timeSteps.find((step) => step >= least) ?? Math.ceil(least / (84 * day)) * 84 * day;
}

function ratioStep(most: number): number {
  const [first = 0, second = 1] = scaleLinear([0, Math.max(most, 0.01)], [0, 1]).ticks(wantedTicks);
  return second - first;
}

function countStep(most: number): number {
  const [first = 0, second = 1] = scaleLinear([0, Math.max(most, 1)], [0, 1]).ticks(wantedTicks);
  return Math.max(1, second - first);
}

function multiples(step: number, most: number): number[] {
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, at) => at * step);
}

/** At most so many midnights (UTC) between two moments, whole days apart, all in milliseconds since the epoch. */
export function midnights(first: number, last: number, most: number): number[] {
  const dayMs = day * 1000;
  const start = Math.ceil(first / dayMs);
  const end = Math.floor(last / dayMs);
  const step = Math.max(1, Math.ceil((end - start + 1) / Math.max(1, most)));
  const marks: number[] = [];
  for (let at = start; at <= end; at += step) marks.push(at * dayMs);
  return marks;
}
