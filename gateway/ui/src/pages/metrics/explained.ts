import type { Explained } from '../../api/metrics';
import type { Metric } from '../../api/types';
import { t } from '../../messages';

/** Reasons without words of ours are codes; they are still better read with spaces. */
export const reasonText = (reason: string): string =>
  t.metrics.reasons[reason] ?? t.mappings.reasons[reason] ?? reason.replaceAll('_', ' ');

/** What was left out, in one sentence. */
export const excludedText = (excluded: Explained['excluded']): string =>
  excluded.map(({ reason, count }) => `${count.toLocaleString('en')} ${reasonText(reason)}`).join(', ');

/** Which kind of percentile the values are: of each kind once, with the names of its values where there are two. */
export function kindsOf(kinds: Record<string, string> = {}): string[] {
  const names = new Map<string, string[]>();
  for (const [name, kind] of Object.entries(kinds)) names.set(kind, [...(names.get(kind) ?? []), name]);
  return [...names].map(([kind, values]) => {
    const words = t.metrics.kinds[kind] ?? kind.replaceAll('_', ' ');
    return names.size === 1 ? words : t.metrics.kindOf(ranksOf(values), words);
  });
}

/** The percentiles among the names of values, each once: `seconds_p85` is one, and `value` the median. */
const ranksOf = (values: string[]): string[] => [...new Set(values.map((name) => /p\d+$/.exec(name)?.[0] ?? 'p50'))];

/** A metric tells the kind of its value by itself, too. */
export const explainedOf = (metric: Metric): Explained => ({
  ...metric,
  kinds: metric.kinds ?? (metric.kind === null ? {} : { value: metric.kind }),
});
