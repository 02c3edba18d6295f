import type { Schedule } from '../../api/types';

export const intervalRange = { from: 5, to: 1440 };
export const attemptsRange = { from: 1, to: 10 };

const retryIntervals = [5, 10, 15, 20, 25, 30];

/** The retry intervals to offer: 5 to 30 minutes, and the present one if somebody set another. */
export function offeredRetryIntervals(present: number): number[] {
  if (retryIntervals.includes(present)) return retryIntervals;
  return [...retryIntervals, present].sort((a, b) => a - b);
}

/** Every zone the browser knows, UTC first, and the present one even if the browser does not know it. */
export function offeredTimezones(present: string): string[] {
  return [...new Set(['UTC', present, ...Intl.supportedValuesOf('timeZone')])];
}

/** A number input gives null while it is empty. */
export function isWithin(value: number | null, range: { from: number; to: number }): value is number {
  return value !== null && Number.isInteger(value) && value >= range.from && value <= range.to;
}

export function differs(one: Schedule, other: Schedule): boolean {
  return JSON.stringify(inOrder(one)) !== JSON.stringify(inOrder(other));
}

function inOrder({ enabled, interval_minutes, timezone, retry }: Schedule): unknown[] {
  return [enabled, interval_minutes, timezone, retry.enabled, retry.interval_minutes, retry.max_attempts];
}
