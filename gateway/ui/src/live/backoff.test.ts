import { expect, it } from 'vitest';

import { backoffMs } from './backoff';

it.each([
  [0, 1, 500],
  [0, 0, 250],
  [1, 1, 1000],
  [4, 1, 8000],
  [6, 1, 30_000],
  [1000, 1, 30_000],
  [1000, 0, 15_000],
])('after %i failures with chance %f waits %i ms', (failures, random, expected) => {
  expect(backoffMs(failures, random)).toBe(expected);
});
