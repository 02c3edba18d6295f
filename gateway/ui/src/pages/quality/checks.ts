import type { QualityCheck } from '../../api/metrics';
import type { IconName } from '../../ui/Icon.svelte';
import type { Tone } from '../../ui/Pill.svelte';

export type Level = 'good' | 'some' | 'many' | 'none';

/** From this share on, a number that leans on the rows should not be trusted. */
const manyFrom = 0.2;

/** How bad it is: `none` where there are no rows to judge. */
export function levelOf({ count, total, share }: QualityCheck): Level {
  if (total === 0 || share === null) return 'none';
  if (count === 0) return 'good';
  return share < manyFrom ? 'some' : 'many';
}

export const levelLook: Record<Level, { tone: Tone; icon: IconName }> = {
  good: { tone: 'good', icon: 'check' },
  some: { tone: 'warn', icon: 'info' },
  many: { tone: 'bad', icon: 'warning' },
  none: { tone: 'calm', icon: 'minus' },
};

/** What is missing most comes first. */
export const worstFirst = (checks: QualityCheck[]): QualityCheck[] =>
  checks.toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1));

/** The page on which a check can be mended here, if there is one. */
export const placeOf: Record<string, { path: string; title: 'mappings' | 'jobs' | 'integrations' }> = {
  unmapped_statuses: { path: '/mappings', title: 'mappings' },
  unmapped_issue_types: { path: '/mappings?view=types', title: 'mappings' },
  issues_unmapped: { path: '/mappings', title: 'mappings' },
  issues_without_history: { path: '/home', title: 'jobs' },
  stale_connections: { path: '/home', title: 'jobs' },
  gaps: { path: '/integrations', title: 'integrations' },
};
