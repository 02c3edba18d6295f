import type { Integration } from '../../api/types';

/** Where a row can be read in the system that it came from, if its id and an integration tell. */
export function linkOf(id: string, integrations: Integration[]): string | null {
  const pull = /^([\w.-]+\/[\w.-]+)#(\d+)$/.exec(id);
  if (pull) {
    const site = integrations.flatMap(({ type, base_url }) => (type === 'github' ? [siteOf(base_url)] : []))[0];
    return site ? `${site}/${pull[1]}/pull/${pull[2]}` : null;
  }
  const project = /^([A-Z][A-Z0-9_]+)-\d+$/.exec(id)?.[1];
  if (project === undefined) return null;
  const jiras = integrations.filter(({ type }) => type === 'jira');
  const named = jiras.find(({ projects }) => projects?.includes(project));
  const jira = named ?? (jiras.length === 1 ? jiras[0] : undefined);
  return jira ? `${jira.base_url}/browse/${id}` : null;
}

/** The pages of a GitHub, from the address of its API. */
function siteOf(api: string): string | null {
  if (api === 'https://api.github.com') return 'https://github.com';
  return api.endsWith('/api/v3') ? api.slice(0, -'/api/v3'.length) : null;
}
