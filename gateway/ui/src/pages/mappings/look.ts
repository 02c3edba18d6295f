import type { Reason } from '../../api/mappings';
import { t } from '../../messages';
import type { IconName } from '../../ui/Icon.svelte';
import type { Tone } from '../../ui/Pill.svelte';
import type { Standing } from './rows';

export const standingLook: Record<Standing, { tone: Tone; icon: IconName }> = {
  unmapped: { tone: 'warn', icon: 'warning' },
  'by-category': { tone: 'calm', icon: 'info' },
  mapped: { tone: 'good', icon: 'check' },
  inactive: { tone: 'calm', icon: 'minus' },
};

/** What speaks for a suggestion, as a sentence. */
export function reasonText(reason: Reason): string {
  const words = t.mappings.suggestions.because;
  switch (reason.kind) {
    case 'same_name':
      return words.sameName;
    case 'shared_word':
      return words.sharedWord(reason.word);
    case 'meaning':
      return words.meaning(t.mappings.categories[reason.category]);
    case 'jira_category':
      return words.jiraCategory(t.mappings.categories[reason.category]);
    case 'between':
      return words.between(reason.fitting, reason.all);
  }
}
