import { describe, expect, it } from 'vitest';

import type { FlowDay, FlowStep, Issue, SeriesPoint } from '../../api/metrics';
import type { Metric } from '../../api/types';
import { shownOf } from '../metrics/shown';
import { dayFrom, dotsOf, fromTheStart, inProgress, itemsFrom, layersOf } from './flow';

const issue = (key: string, more: Partial<Issue>): Issue => ({
  key,
  project: 'PAY',
  type: 'Story',
  status: 'Done',
  step: 'Released',
  summary: null,
  started_at: null,
  done_at: null,
  cycle_time_seconds: null,
  ...more,
});

const step = (id: string, category: string): FlowStep => ({
  id,
  workflow_id: 'w',
  name: id,
  category,
  counted: 1,
  seconds_p50: 1,
  seconds_p85: 1,
  excluded: [],
  formula: 'a',
  version: 1,
});

describe('the scatter', () => {
  it('has what was done in the window with a known cycle time, in the order of its end', () => {
    const dots = dotsOf(
      [
        issue('late', { done_at: '2026-03-05T10:00:00Z', cycle_time_seconds: 60 }),
        issue('early', { done_at: '2026-03-02T10:00:00Z', cycle_time_seconds: 0 }),
        issue('before', { done_at: '2026-02-28T23:59:59Z', cycle_time_seconds: 60 }),
        issue('open', { cycle_time_seconds: null }),
        issue('unstarted', { done_at: '2026-03-03T10:00:00Z' }),
      ],
      '2026-03-01',
    );
    expect(dots.map(({ key, seconds }) => [key, seconds])).toEqual([
      ['early', 0],
      ['late', 60],
    ]);
  });
});

describe('work in progress', () => {
  it('is what stands in such a step, the oldest first', () => {
    const started_at = '2026-03-01T00:00:00Z';
    const found = inProgress(
      [
        issue('young', { step: 'Review', started_at: '2026-03-02T00:00:00Z' }),
        issue('old', { step: 'Development', started_at }),
        issue('done', { step: 'Review', started_at, done_at: started_at }),
        issue('dropped', { step: 'Dropped', started_at }),
        issue('unmapped', { step: null, started_at }),
        issue('waiting', { step: 'Review' }),
      ],
      [step('Development', 'IN_PROGRESS'), step('Review', 'IN_PROGRESS'), step('Dropped', 'DISCARDED')],
      Date.parse('2026-03-03T00:00:00Z'),
    );
    expect(found.map(({ key, seconds }) => [key, seconds])).toEqual([
      ['old', 172_800],
      ['young', 86_400],
    ]);
  });
});

describe('cumulative flow', () => {
  const day = (steps: Record<string, number>): FlowDay => ({ day: '2026-03-01', throughput: 0, wip: 0, steps });
  const steps = [step('todo', 'TO_DO'), step('never', 'TO_DO'), step('done', 'DONE')];
  const layers = layersOf([day({ todo: 3, done: 10, gone: 1 }), day({ todo: 2, done: 12 })], steps);

  it('has a layer for each step that anything stood in, what is done below and what is gone beneath', () => {
    expect(layers.map(({ id, counts }) => [id, counts])).toEqual([
      ['gone', [1, 0]],
      ['done', [10, 12]],
      ['todo', [3, 2]],
    ]);
  });

  it('draws what is done from the start of the window', () => {
    expect(fromTheStart(layers).map(({ counts }) => counts)).toEqual([
      [1, 0],
      [0, 2],
      [3, 2],
    ]);
  });
});

describe('an address', () => {
  it.each([
    ['5', 5],
    ['0', null],
    ['-1', null],
    ['1.5', null],
    ['', null],
    ['many', null],
    ['1000000', null],
    [null, null],
  ])('that asks for %s items asks for %s', (text, items) => {
    expect(itemsFrom(text)).toBe(items);
  });

  it.each([
    ['2026-03-01', '2026-03-01'],
    ['2026-13-01', null],
    ['tomorrow', null],
    [null, null],
  ])('that asks until %s asks until %s', (text, day) => {
    expect(dayFrom(text)).toBe(day);
  });
});

it('metrics are shown in our order with their series, and unknown ones not at all', () => {
  const metric = (name: string) => ({ name, value: 1 }) as Metric;
  const words = { name: 'n', chart: 'c', counted: 'issues' };
  const series: SeriesPoint[] = [
    { start: '2026-03-02', a: 3 },
    { start: '2026-03-09', a: null },
  ];
  const shown = shownOf(
    [metric('unknown'), metric('second'), metric('first')],
    series,
    { first: { series: 'a', better: 'up', kind: 'bars' }, second: { series: null, better: null } },
    { first: words, second: words },
  );
  expect(shown.map(({ metric: { name }, values, kind, better }) => [name, values, kind, better])).toEqual([
    ['first', [3, null], 'bars', 'up'],
    ['second', null, 'line', null],
  ]);
});
