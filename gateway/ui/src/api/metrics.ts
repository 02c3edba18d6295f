/** The numbers people read, and the rows behind them. */
import { ask } from './client';
import type { DoraReport, Metric, MetricsQuery, Page, Timestamp } from './types';

/** A value for each bucket, by its name in the series. */
export type SeriesPoint = { start: string } & Record<string, string | number | null>;

/** Over what a report is told, and when its facts were complete. */
export interface Told {
  window: { from: Timestamp; to: Timestamp; timezone: string; bucket: string };
  as_of: Timestamp | null;
}

/** How a number came about, or many of one kind. */
export interface Explained {
  formula: string;
  version: number;
  counted: number;
  excluded: { reason: string; count: number }[];
  /** Of each value that is a percentile: `linear` or `nearest_rank`. */
  kinds?: Record<string, string>;
}

interface Report extends Told {
  /** The rules changed since, and the numbers follow within seconds. */
  recomputing: boolean;
  metrics: Metric[];
  series: SeriesPoint[];
}

/** How long the issues that are done stayed somewhere. */
export interface TimeSpent extends Explained {
  category: string;
  seconds_p50: number | null;
  seconds_p85: number | null;
}

export interface FlowStep extends TimeSpent {
  id: string;
  workflow_id: string;
  name: string;
}

export interface FlowDay {
  day: string;
  throughput: number;
  wip: number;
  /** How many issues stand in each step, by its id. */
  steps: Record<string, number>;
}

export interface FlowReport extends Report {
  steps: FlowStep[];
  categories: TimeSpent[];
  cumulative_flow: FlowDay[];
  /** How the parts came about that hold many values, by their names. */
  about: Record<string, Explained>;
}

export type PullRequestsReport = Report;

export interface Forecast extends Told {
  trials: number;
  items: number;
  until: string;
  history: { days: number; done: number; excluded: Explained['excluded'] };
  when: { p50: string; p85: string; p95: string } | null;
  how_many: { p50: number; p85: number; p95: number } | null;
  back_test: {
    horizon_days: number;
    checks: { day: string; p50: number; p85: number; p95: number; actual: number; hit: boolean }[];
    hits: number;
    hit_rate: number | null;
  };
  formula: string;
  version: number;
  kinds?: Record<string, string>;
  empty_reason: string | null;
}

/** A row in which a check misses something. */
export interface Lacking {
  /** What people call it. */
  name: string;
  /** What else is known of it. */
  detail: string | null;
  integration_id: string;
}

export interface QualityCheck {
  name: string;
  count: number;
  total: number;
  share: number | null;
  examples: string[];
  fix: string;
}

export interface Quality extends Explained {
  as_of: Timestamp;
  timezone: string;
  /** From 0 to 1. */
  score: number | null;
  empty_reason: string | null;
  checks: QualityCheck[];
}

export interface Issue {
  key: string;
  project: string;
  type: string | null;
  status: string;
  step: string | null;
  summary: string | null;
  started_at: Timestamp | null;
  done_at: Timestamp | null;
  cycle_time_seconds: number | null;
}

export interface PullRequest {
  repository: string;
  number: number;
  title: string;
  author: string | null;
  draft: boolean;
  created_at: Timestamp;
  reviews: number;
  /** A machine made it. */
  bot: boolean;
}

/** Who gave how many reviews to pull requests of others. */
export interface ReviewLoad extends Told, Explained {
  empty_reason: string | null;
  /** The most first, and no machines. */
  people: { login: string; reviews: number; pull_requests: number }[];
}

/** The rows of a list that were read, and whether there are more. */
export interface Rows<T> {
  items: T[];
  more: boolean;
}

export type ReportName = 'dora' | 'flow' | 'pull-requests';

function parametersOf({ from, project, repository }: MetricsQuery): URLSearchParams {
  const query = new URLSearchParams({ from, bucket: 'week' });
  if (project !== null) query.set('project', project);
  if (repository !== null) query.set('repository', repository);
  return query;
}

const report = <R>(name: ReportName, query: MetricsQuery) =>
  ask<R>('GET', `/api/v1/metrics/${name}?${parametersOf(query)}`);

export const dora = (query: MetricsQuery) => report<DoraReport>('dora', query);
export const flow = (query: MetricsQuery) => report<FlowReport>('flow', query);
export const pullRequests = (query: MetricsQuery) => report<PullRequestsReport>('pull-requests', query);
/** All that a check found, as an address to ask or to take it away. */
export const lackingOf = (check: string): string => `/api/v1/data-quality/${encodeURIComponent(check)}`;
export const lacking = (check: string, cursor: string | null) =>
  ask<Page<Lacking>>('GET', `${lackingOf(check)}?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
export const quality = () => ask<Quality>('GET', '/api/v1/metrics/data-quality');

export const forecast = (query: MetricsQuery, items: number | null, until: string | null) =>
  ask<Forecast>('GET', `/api/v1/metrics/forecast?${forecastParametersOf(query, items, until)}`);

function forecastParametersOf(query: MetricsQuery, items: number | null, until: string | null): URLSearchParams {
  // A forecast has no series, so it knows no buckets.
  const parameters = new URLSearchParams({ from: query.from });
  if (query.project !== null) parameters.set('project', query.project);
  if (items !== null) parameters.set('items', String(items));
  if (until !== null) parameters.set('until', until);
  return parameters;
}

/** The address of the review load: reports of people have no buckets. */
export function reviewLoadOf({ from, repository }: MetricsQuery): string {
  const parameters = new URLSearchParams({ from });
  if (repository !== null) parameters.set('repository', repository);
  return `/api/v1/metrics/review-load?${parameters}`;
}
export const reviewLoad = (query: MetricsQuery) => ask<ReviewLoad>('GET', reviewLoadOf(query));

/** The ids of the rows that a metric counted. */
export async function rowsOf(name: ReportName, query: MetricsQuery, metric: string): Promise<string[]> {
  const parameters = parametersOf(query);
  parameters.set('explain', 'true');
  const { metrics } = await ask<{ metrics: Metric[] }>('GET', `/api/v1/metrics/${name}?${parameters}`);
  return metrics.find((candidate) => candidate.name === metric)?.ids ?? [];
}

/** The address at which a part of a report can be taken away: its series, unless `part` names another. */
export function partOf(name: ReportName, query: MetricsQuery, part: string | null = null): string {
  const parameters = parametersOf(query);
  if (part !== null) parameters.set('part', part);
  return `/api/v1/metrics/${name}?${parameters}`;
}

/** The same of the forecast: the chances, unless `part` names another. */
export function forecastPartOf(query: MetricsQuery, items: number, until: string, part: string | null = null): string {
  const parameters = forecastParametersOf(query, items, until);
  if (part !== null) parameters.set('part', part);
  return `/api/v1/metrics/forecast?${parameters}`;
}

/** Lists of what the numbers are made of, and which filters of a page each heeds. */
const lists = {
  issues: ['project'],
  'issue-changes': ['project'],
  'status-intervals': ['project'],
  incidents: ['project'],
  'pull-requests': ['project', 'repository'],
  reviews: ['repository'],
  deployments: ['repository'],
} satisfies Record<string, ('project' | 'repository')[]>;
export type ListName = keyof typeof lists;

function listParametersOf(name: ListName, query: MetricsQuery, state: string | null): URLSearchParams {
  // What is open counts however long ago it was touched.
  const parameters = new URLSearchParams(state === null ? { updated_since: `${query.from}T00:00:00Z` } : { state });
  for (const filter of lists[name]) {
    const value = query[filter];
    if (value !== null) parameters.set(filter, value);
  }
  return parameters;
}

/** The address of what was touched in the window, or of what is in a state. */
export const listOf = (name: ListName, query: MetricsQuery, state: string | null = null): string =>
  `/api/v1/${name}?${listParametersOf(name, query, state)}`;

const pageRows = 500;
const mostPages = 6;

async function list<T>(name: ListName, asked: MetricsQuery, state: string | null = null): Promise<Rows<T>> {
  const query = listParametersOf(name, asked, state);
  query.set('limit', String(pageRows));
  const items: T[] = [];
  for (let at = 0; at < mostPages; at += 1) {
    const page = await ask<Page<T>>('GET', `/api/v1/${name}?${query}`);
    items.push(...page.items);
    if (!page.next_cursor) return { items, more: false };
    query.set('cursor', page.next_cursor);
  }
  return { items, more: true };
}

export const issuesTouched = (query: MetricsQuery) => list<Issue>('issues', query);

/** Those that the metric counts, and how many of machines it leaves out. */
export async function openPullRequests(query: MetricsQuery): Promise<Rows<PullRequest> & { bots: number }> {
  const [open, counted] = await Promise.all([
    list<PullRequest>('pull-requests', query, 'open'),
    rowsOf('pull-requests', query, 'open_pull_request_age'),
  ]);
  const ids = new Set(counted);
  return {
    more: open.more,
    items: open.items.filter(({ repository, number }) => ids.has(`${repository}#${number}`)),
    bots: open.items.filter(({ bot }) => bot).length,
  };
}
