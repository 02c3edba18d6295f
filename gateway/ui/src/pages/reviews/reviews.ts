import type { PullRequest } from '../../api/metrics';
import type { Metric } from '../../api/types';
import type { Reading } from '../metrics/shown';

export const readings = {
  merged: { series: 'merged', better: 'up', kind: 'bars' },
  time_to_merge: { series: 'time_to_merge_p50', better: 'down' },
  size: { series: 'size_p50', better: 'down' },
  changed_files: { series: null, better: 'down' },
  merged_without_review: { series: 'merged_without_review', better: 'down' },
  reviews: { series: null, better: null },
  reviewers: { series: null, better: null },
  comments: { series: null, better: null },
  review_rounds: { series: null, better: 'down' },
  open_pull_request_age: { series: null, better: 'down' },
  reverted: { series: 'reverted', better: 'down' },
  coding_time: { series: 'coding_time_p50', better: 'down' },
  pickup_time: { series: 'pickup_time_p50', better: 'down' },
  review_time: { series: 'review_time_p50', better: 'down' },
  deploy_time: { series: 'deploy_time_p50', better: 'down' },
} satisfies Record<string, Reading>;

export const stages = ['coding_time', 'pickup_time', 'review_time', 'deploy_time'] as const;
export type StageName = (typeof stages)[number];

export interface Stage {
  name: StageName;
  /** The median, in seconds. */
  seconds: number | null;
  /** Of the sum of all medians. */
  share: number;
  metric: Metric;
}

/** The stages in which a pull request spends its time, in their order. */
export function stagesOf(metrics: Metric[]): Stage[] {
  const found = stages.flatMap((name) => {
    const metric = metrics.find((candidate) => candidate.name === name);
    return metric ? [{ name, metric, seconds: metric.value }] : [];
  });
  const whole = found.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  return found.map((stage) => ({ ...stage, share: whole === 0 ? 0 : (stage.seconds ?? 0) / whole }));
}

export interface OpenPull {
  id: string;
  title: string;
  author: string | null;
  draft: boolean;
  reviews: number;
  seconds: number;
}

/** The oldest first. */
export const openByAge = (pulls: PullRequest[], now: number): OpenPull[] =>
  pulls
    .map(({ repository, number, title, author, draft, reviews, created_at }) => ({
      id: `${repository}#${number}`,
      title,
      author,
      draft,
      reviews,
      seconds: (now - Date.parse(created_at)) / 1000,
    }))
    .sort((a, b) => b.seconds - a.seconds);
