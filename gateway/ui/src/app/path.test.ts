import { expect, it } from 'vitest';

import { ownPath } from './path';

it.each([
  ['/metrics/flow?days=30&project=PAY+OUT', '/metrics/flow?days=30&project=PAY+OUT'],
  ['/home', '/home'],
  ['https://etl.example.com/jobs', '/jobs'],
  ['//evil.example/', null],
  ['/\\evil.example', null],
  ['/\t/evil.example', null],
  ['https://evil.example/jobs', null],
  ['http://etl.example.com/jobs', null],
  ['javascript:alert(1)', null],
  ['https://', null],
] as [string, string | null][])('signing in leads on to %j only if it is ours: %j', (address, path) => {
  expect(ownPath(address, 'https://etl.example.com')).toBe(path);
});
