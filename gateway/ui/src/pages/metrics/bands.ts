import type { Band } from '../../api/types';
import type { Tone } from '../../ui/Pill.svelte';

export const bands: Band[] = ['ELITE', 'HIGH', 'MEDIUM', 'LOW'];

export const bandTone: Record<Band, Tone> = { ELITE: 'good', HIGH: 'info', MEDIUM: 'warn', LOW: 'bad' };
