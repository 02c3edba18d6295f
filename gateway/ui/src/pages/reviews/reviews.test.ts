import { describe, expect, it } from 'vitest';

import type { PullRequest, QualityCheck } from '../../api/metrics';
import type { Metric } from '../../api/types';
import { type Level, levelOf, worstFirst } from '../quality/checks';
import { openByAge, stagesOf } from './reviews';

describe('stages', () => {
  const metric = (name: string, value: number | null) => ({ name, value }) as Metric;

  it('come in the order of a pull request, with their shares', () => {
    const stages = stagesOf([metric('deploy_time', 30), metric('coding_time', 10), metric('pickup_time', null)]);
    expect(stages.map(({ name, seconds, share }) => [name, seconds, share])).toEqual([
      ['coding_time', 10, 0.25],
      ['pickup_time', null, 0],
      ['deploy_time', 30, 0.75],
    ]);
  });

  it('that took no time have no share', () => {
    expect(stagesOf([metric('coding_time', 0)])[0]?.share).toBe(0);
  });
});

it('open pull requests come with the oldest first', () => {
  const pull = (number: number, created_at: string, author: string | null): PullRequest => ({
    repository: 'acme/shop',
    number,
    title: 't',
    author,
    draft: false,
    created_at,
    reviews: 0,
    bot: false,
  });
  const open = openByAge(
    [pull(1, '2026-03-02T00:00:00Z', 'a'), pull(2, '2026-03-01T00:00:00Z', null)],
    Date.parse('2026-03-03T00:00:00Z'),
  );
  expect(open.map(({ id, seconds }) => [id, seconds])).toEqual([
    ['acme/shop#2', 172_800],
    ['acme/shop#1', 86_400],
  ]);
});

describe('a check', () => {
  const check = (count: number, total: number): QualityCheck => ({
    name: `${count}`,
    count,
    total,
    share: total === 0 ? null : count / total,
    examples: [],
    fix: '',
  });

  it.each([
    [0, 0, 'none'],
    [0, 9, 'good'],
    [1, 9, 'some'],
    [2, 10, 'many'],
    [9, 9, 'many'],
  ] as [number, number, Level][])('that finds %i of %i is %s', (count, total, level) => {
    expect(levelOf(check(count, total))).toBe(level);
  });

  it('that finds more comes first', () => {
    expect(
      worstFirst([check(0, 0), check(1, 9), check(5, 9), check(0, 9)]).map(({ count, total }) => [count, total]),
    ).toEqual([
      [5, 9],
      [1, 9],
      [0, 9],
      [0, 0],
    ]);
  });
});
