import type { Scope } from '../../api/types';

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
