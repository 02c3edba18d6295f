import type { Problem } from '../../api/problem';
import type { Integration, IntegrationDraft, IntegrationType } from '../../api/types';
import { t } from '../../messages';
import { scopesOf } from './look';

/** What a person has entered so far. */
export interface Entry {
  type: IntegrationType;
  name: string;
  baseUrl: string;
  username: string;
  secret: string;
  /** Whatever the account can read, now and later; else only `scopes`. */
  everything: boolean;
  scopes: string[];
}

export type EntryField = 'name' | 'baseUrl' | 'username' | 'secret';

const usualAddress: Record<IntegrationType, string> = { jira: '', github: 'https://api.github.com' };

export function emptyEntry(type: IntegrationType): Entry {
  return {
    type,
    name: t.integrations.kinds[type],
    baseUrl: usualAddress[type],
    username: '',
    secret: '',
    everything: true,
    scopes: [],
  };
}

export function entryOf(integration: Integration): Entry {
  return {
    type: integration.type,
    name: integration.name,
    baseUrl: integration.base_url,
    username: integration.username ?? '',
    secret: '',
    everything: scopesOf(integration).length === 0,
    scopes: scopesOf(integration),
  };
}

/** What is missing, by field. A stored integration keeps its secret when none is entered. */
export function complaints(entry: Entry, stored: boolean): Partial<Record<EntryField, string>> {
  const found: Partial<Record<EntryField, string>> = {};
  if (entry.name.trim() === '') found.name = t.wizard.nameMissing;
  if (!isWebAddress(entry.baseUrl)) found.baseUrl = t.wizard.baseUrlInvalid;
  if (entry.type === 'jira' && entry.username.trim() === '') found.username = t.wizard.usernameMissing;
  if (!stored && entry.secret.trim() === '') found.secret = t.wizard.secretMissing;
  return found;
}

/** What the server is sent: under the names of the kind, and without a secret that was not entered. */
export function draftOf(entry: Entry): IntegrationDraft {
  const secret = entry.secret.trim() || undefined;
  const scopes = entry.everything ? [] : entry.scopes;
  const shared = { type: entry.type, name: entry.name.trim(), base_url: entry.baseUrl.trim().replace(/\/+$/, '') };
  if (entry.type === 'jira') {
    return { ...shared, username: entry.username.trim(), api_token: secret, projects: scopes };
  }
  return { ...shared, token: secret, repositories: scopes };
}

/** The name of a field on the wire, to find the server's complaint about it. */
export function wireName(field: EntryField, type: IntegrationType): string {
  if (field === 'baseUrl') return 'base_url';
  if (field === 'secret') return type === 'jira' ? 'api_token' : 'token';
  return field;
}

/** Whether the server complains about what is entered beside the scopes. */
export function isAboutConnection(problem: Problem, type: IntegrationType): boolean {
  const fields: EntryField[] = ['name', 'baseUrl', 'username', 'secret'];
  return fields.some((field) => problem.about(wireName(field, type)) !== null);
}

/** Plain http is for servers within one's own network; the gateway decides which it lets through. */
function isWebAddress(text: string): boolean {
  const address = text.trim();
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return (protocol === 'https:' || protocol === 'http:') && hostname !== '';
}
