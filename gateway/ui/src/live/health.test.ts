import { expect, it } from 'vitest';

import { healthFrom } from './health';

it.each([
  [{ database: 'healthy' }, { database: 'healthy' }],
  [
    { database: 'ok', queue: 'DEGRADED' },
    { database: 'healthy', queue: 'warning' },
  ],
  [{ cache: { status: 'down', detail: 'refused' } }, { cache: 'down' }],
  [{ database: 'purple', weather: 'healthy' }, {}],
  [{ database: null }, {}],
])('reads %j', (checks, health) => {
  expect(healthFrom(checks)).toEqual(health);
});
