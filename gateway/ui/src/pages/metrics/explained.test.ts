import { describe, expect, it } from 'vitest';

import type { Metric } from '../../api/types';
import { daysOf } from '../../format/time';
import { excludedText, explainedOf, kindsOf } from './explained';
import { isCut } from './shown';

describe('the kinds of percentiles', () => {
  it.each([
    [undefined, []],
    [{ value: 'linear' }, ['linear']],
    [{ value: 'linear', p85: 'nearest_rank', p95: 'nearest_rank' }, ['p50 linear', 'p85, p95 nearest rank']],
    [{ seconds_p50: 'linear', seconds_p85: 'nearest_rank' }, ['p50 linear', 'p85 nearest rank']],
    [{ p50: 'nearest_rank', p85: 'nearest_rank' }, ['nearest rank']],
    [{ value: 'new_kind' }, ['new kind']],
  ] as [Record<string, string> | undefined, string[]][])('of %j are told as %j', (kinds, words) => {
    expect(kindsOf(kinds)).toEqual(words);
  });

  it('of a metric are at least that of its value', () => {
    expect(explainedOf({ kind: 'linear' } as Metric).kinds).toEqual({ value: 'linear' });
    expect(explainedOf({ kind: null } as Metric).kinds).toEqual({});
  });
});

it('what was left out is told with its reasons', () => {
  expect(
    excludedText([
      { reason: 'bot', count: 1_200 },
      { reason: 'some_new_reason', count: 1 },
    ]),
  ).toBe('1,200 made by a bot, 1 some new reason');
});

it.each([
  ['UTC', 'Mar 4 – Jun 2, 2026'],
  ['America/Sao_Paulo', 'Mar 3 – Jun 1, 2026'],
  ['Nowhere/Atlantis', 'Mar 4 – Jun 2, 2026'],
])('the days of a window are those of %s', (timezone, days) => {
  const window = { from: '2026-03-04T00:00:00Z', to: '2026-06-02T01:00:00Z', timezone };
  expect(daysOf(window).replaceAll('\u2009', ' ')).toBe(days);
});

it.each([
  ['2026-03-02', false],
  ['2026-02-23', true],
  ['2026-03-30', true],
  ['2026-03-23', false],
] as [string, boolean][])('the week of %s is cut by the window: %s', (start, cut) => {
  const window = {
    from: '2026-03-02T03:00:00Z',
    to: '2026-03-31T01:00:00Z',
    timezone: 'America/Sao_Paulo',
    bucket: 'week',
  };
  expect(isCut(start, window)).toBe(cut);
});
