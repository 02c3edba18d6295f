import type { HealthLevel, SystemHealth } from '../api/types';

const levels: Record<string, HealthLevel> = {
  healthy: 'healthy',
  ok: 'healthy',
  up: 'healthy',
  warning: 'warning',
  degraded: 'warning',
  down: 'down',
  failed: 'down',
  unhealthy: 'down',
};

/** The parts named by the health check; a part told in words we do not know stays unknown. */
export function healthFrom(checks: Record<string, unknown>): Partial<SystemHealth> {
  const health: Partial<SystemHealth> = {};
  for (const part of ['database', 'queue', 'cache', 'integrations'] as const) {
    const level = levelOf(checks[part]);
    if (level) health[part] = level;
  }
  return health;
}

function levelOf(check: unknown): HealthLevel | undefined {
  if (typeof check === 'string') return levels[check.toLowerCase()];
  if (check !== null && typeof check === 'object' && 'status' in check) return levelOf(check.status);
  return undefined;
}
