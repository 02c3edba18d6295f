import { describe, expect, it } from 'vitest';

import type { Unit } from '../api/types';
import { duration, relative, roughly } from './duration';
import { change, measured, progress } from './number';
import { calendarDay, daysBefore, shortDay } from './time';

const hour = 3600;
const day = 24 * hour;

it.each([
  [0, '0 s'],
  [0.2, 'under 1 s'],
  [45, '45 s'],
  [59.9, '1 min'],
  [61, '1 min 1 s'],
  [599, '9 min 59 s'],
  [754, '13 min'],
  [3599, '1 h'],
  [2 * hour + 14 * 60, '2 h 14 min'],
  [5 * hour, '5 h'],
  [day - 1, '1 day'],
  [3.2 * day, '3.2 days'],
  [45.4 * day, '45 days'],
])('%f seconds read "%s"', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

it.each([
  [3, 10],
  [44, 40],
  [68, 60],
  [171, 180],
  [3700, 3720],
])('an estimate of %i s is about %i s', (seconds, rough) => {
  expect(roughly(seconds)).toBe(rough);
});

it.each([
  [-2, 'just now'],
  [-45, '45 s ago'],
  [-119, '1 min ago'],
  [-2 * hour, '2 h ago'],
  [-3 * day, '3 days ago'],
  [3 * hour, 'in 3 h'],
])('%i seconds from now is "%s"', (seconds, text) => {
  expect(relative(1_000_000_000 + seconds * 1000, 1_000_000_000)).toBe(text);
});

it.each([
  [99.9, '99%'],
  [0, '0%'],
  [100, '100%'],
])('progress of %f is %s, never more than is done', (done, text) => {
  expect(progress(done)).toBe(text);
});

it.each([
  [1, 'days_per_week', '1 day/week'],
  [4.5, 'days_per_week', '4.5 days/week'],
  [0.1234, 'ratio', '12.3%'],
  [5400, 'seconds', '1 h 30 min'],
] as [number, Unit, string][])('%f %s reads "%s"', (value, unit, text) => {
  expect(measured(value, unit)).toBe(text);
});

describe('a change', () => {
  it.each([
    [5, 4, 'days_per_week', 'up', '25%'],
    [3600, 7200, 'seconds', 'down', '50%'],
    [0.05, 0.08, 'ratio', 'down', '3 pp'],
    [4, 4, 'days_per_week', 'same', ''],
    [10_001, 10_000, 'seconds', 'same', ''],
    [0.05, 0.0501, 'ratio', 'same', ''],
    [2, 0, 'days_per_week', 'up', '2 days/week'],
  ] as [number, number, Unit, string, string][])('from %f to %f %s', (value, previous, unit, direction, text) => {
    expect(change(value, previous, unit)).toEqual({ direction, text });
  });
});

it('names calendar days as the server cut them, whatever the zone of the reader', () => {
  expect(calendarDay('2026-03-02')).toBe('Mar 2, 2026');
  expect(shortDay('2026-03-02T00:00:00Z')).toBe('Mar 2');
});

it('counts a window back from today', () => {
  expect(daysBefore(30, new Date('2026-03-01T23:30:00Z'))).toBe('2026-01-30');
});
