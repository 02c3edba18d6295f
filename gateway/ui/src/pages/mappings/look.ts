import type { IconName } from '../../ui/Icon.svelte';
import type { Tone } from '../../ui/Pill.svelte';
import type { Standing } from './rows';

export const standingLook: Record<Standing, { tone: Tone; icon: IconName }> = {
  unmapped: { tone: 'warn', icon: 'warning' },
  'by-category': { tone: 'calm', icon: 'info' },
  mapped: { tone: 'good', icon: 'check' },
  inactive: { tone: 'calm', icon: 'minus' },
};
