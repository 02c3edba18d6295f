import type { CheckStatus, Integration, IntegrationHealth, IntegrationType } from '../../api/types';
import type { IconName } from '../../ui/Icon.svelte';
import type { Tone } from '../../ui/Pill.svelte';

interface Look {
  tone: Tone;
  icon: IconName;
}

export const healthLook: Record<IntegrationHealth, Look> = {
  healthy: { tone: 'good', icon: 'check' },
  warning: { tone: 'warn', icon: 'warning' },
  down: { tone: 'bad', icon: 'cross' },
  unknown: { tone: 'calm', icon: 'ring' },
};

export const checkLook: Record<CheckStatus, Look> = {
  ok: { tone: 'good', icon: 'check' },
  warning: { tone: 'warn', icon: 'warning' },
  failed: { tone: 'bad', icon: 'cross' },
  skipped: { tone: 'calm', icon: 'minus' },
};

export const kindIcon: Record<IntegrationType, IconName> = { jira: 'issues', github: 'branch' };

/** The projects or repositories of an integration, whichever it has. */
export const scopesOf = (integration: Integration): string[] =>
  (integration.type === 'jira' ? integration.projects : integration.repositories) ?? [];
