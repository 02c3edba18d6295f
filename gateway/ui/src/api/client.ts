import { Problem } from './problem';
import type {
  ConnectionTest,
  EventPage,
  Integration,
  IntegrationDraft,
  Job,
  JobCommand,
  JobType,
  Page,
  Run,
  Schedule,
  Scope,
  Session,
  SignedIn,
} from './types';

const patienceMs = 20_000;
/** A connection test asks another company's servers several things in turn. */
const testPatienceMs = 90_000;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Called when any request but signing in is answered with 401. */
let onSessionLost: () => void = () => {};

export function whenSessionIsLost(listener: () => void): void {
  onSessionLost = listener;
}

interface Manner {
  waitMs?: number;
  /** The version that was seen: a newer one is not overwritten. */
  seen?: number;
}

export async function ask<T>(method: Method, path: string, body?: unknown, manner: Manner = {}): Promise<T> {
  const response = await send(method, path, body, manner);
  if (response.status === 401) onSessionLost();
  if (!response.ok) throw await Problem.from(response);
  return read<T>(response);
}

async function send(method: Method, path: string, body: unknown, manner: Manner = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['Content-Type'] = 'application/json';
  if (manner.seen !== undefined) headers['If-Match'] = `"${manner.seen}"`;
  try {
    return await fetch(path, {
      method,
      headers,
      body: method === 'GET' || method === 'DELETE' ? undefined : JSON.stringify(body ?? {}),
      credentials: 'same-origin',
      signal: AbortSignal.timeout(manner.waitMs ?? patienceMs),
    });
  } catch {
    throw Problem.unreachable();
  }
}

async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem(response.status, { code: 'unreadable_answer' });
  }
}

/** Signing in and who is signed in; a 401 here is an answer, not a lost session. */
async function askQuietly<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  if (!response.ok) throw await Problem.from(response);
  return read<T>(response);
}

export const session = () => askQuietly<Session>('GET', '/api/v1/session');
export const signIn = (email: string, password: string) =>
  askQuietly<SignedIn>('POST', '/auth/login', { email, password });
export const signInWithToken = (token: string, returnUrl?: string) =>
  askQuietly<SignedIn>('POST', '/auth/navigate', { token, return_url: returnUrl });
export const signOut = () => askQuietly<unknown>('POST', '/auth/logout');

export const jobs = () => ask<Page<Job>>('GET', '/api/v1/jobs');
export const command = (job: JobType, name: JobCommand) => ask<Job>('POST', `/api/v1/jobs/${job}/${name}`);
export const runs = (job: JobType, limit: number) => ask<Page<Run>>('GET', `/api/v1/jobs/${job}/runs?limit=${limit}`);

export const schedule = () => ask<Schedule>('GET', '/api/v1/orchestrator');
export const saveSchedule = (wanted: Schedule) => ask<Schedule>('PUT', '/api/v1/orchestrator', wanted);

export const socketTicket = () => ask<{ ticket: string }>('POST', '/api/v1/ws-ticket');
export const events = (since: number) => ask<EventPage>('GET', `/api/v1/events?since=${since}&limit=500`);

export const integrations = () => ask<Page<Integration>>('GET', '/api/v1/integrations?limit=500');
export const addIntegration = (draft: IntegrationDraft) => ask<Integration>('POST', '/api/v1/integrations', draft);
export const saveIntegration = (id: string, draft: IntegrationDraft) =>
  ask<Integration>('PUT', `/api/v1/integrations/${encodeURIComponent(id)}`, draft);
export const deactivateIntegration = (id: string) =>
  ask<unknown>('DELETE', `/api/v1/integrations/${encodeURIComponent(id)}`);
export const testStored = (id: string) =>
  ask<ConnectionTest>('POST', '/api/v1/integrations/test', { id }, { waitMs: testPatienceMs });
/** A draft of a stored integration is tested with the stored secret where it names none. */
export const testDraft = (draft: IntegrationDraft, stored: string | null) =>
  ask<ConnectionTest>(
    'POST',
    '/api/v1/integrations/test',
    { id: stored ?? undefined, ...draft },
    { waitMs: testPatienceMs },
  );
export const integrationScopes = (id: string, search: string) =>
  ask<Page<Pick<Scope, 'key' | 'name'>>>(
    'GET',
    `/api/v1/integrations/${encodeURIComponent(id)}/scopes?search=${encodeURIComponent(search)}`,
  );

/** The state of the parts, before the first event tells it. An unhealthy service answers 503 and the same document. */
export async function health(): Promise<Record<string, unknown>> {
  try {
    const response = await send('GET', '/healthz', undefined);
    const { checks } = await read<{ checks?: Record<string, unknown> }>(response);
    return checks ?? {};
  } catch (thrown) {
    if (thrown instanceof Problem) return {};
    throw thrown;
  }
}
