import type { IntegrationType, Scope } from '../../api/types';

/** Everything that can be picked: what the test found, what a search found, and what is picked already, once each. */
export function merged(tested: Scope[], found: Scope[], chosen: string[]): Scope[] {
  const all = new Map<string, Scope>();
  for (const scope of [...tested, ...found]) if (!all.has(scope.key)) all.set(scope.key, scope);
  for (const key of chosen) if (!all.has(key)) all.set(key, { key, name: key, available: true, detail: null });
  return [...all.values()].sort((a, b) => a.key.localeCompare(b.key));
}

/** The scopes whose key or name contains every word of the search. */
export function matching(scopes: Scope[], search: string): Scope[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return scopes.filter((scope) => {
    const text = `${scope.key} ${scope.name}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const names: Record<IntegrationType, RegExp> = {
  jira: /^[\p{L}\p{N}_]{1,255}$/u,
  github: /^[\w.-]{1,100}\/([\w.-]{1,100}|\*)$/,
};

/** What was written into the search as a key of its own, if it can be one and is not listed yet. */
export function addable(type: IntegrationType, search: string, listed: Scope[]): string | null {
  const written = type === 'jira' ? search.trim().toUpperCase() : search.trim();
  if (!names[type].test(written)) return null;
  const isListed = listed.some((scope) => scope.key.toLowerCase() === written.toLowerCase());
  return isListed ? null : written;
}
