import * as api from '../api/client';
import { Problem } from '../api/problem';
import { Resource } from '../api/resource.svelte';
import type { HealthLevel, Job, JobCommand, JobType, LiveEvent, Run, SystemHealth } from '../api/types';
import { jobTypes } from '../api/types';
import { progress } from '../format/number';
import { t } from '../messages';
import { announcer } from '../ui/announcer.svelte';
import { Connection, type LinkState } from './connection';
import { healthFrom } from './health';
import { after, withSnapshot, type Board } from './reducer';

const runsShown = 5;
/** Events come in flocks; one snapshot after the flock is enough. */
const settleMs = 200;
/** Workers obey a command silently: until they have, we ask. */
const askWhilePendingMs = 1_000;

interface Refusal {
  command: JobCommand;
  problem: Problem;
}

/** The jobs as the server knows them now. Nothing here is assumed: a command shows its effect when the server says so. */
class LiveBoard {
  link = $state<LinkState>('connecting');
  problem = $state.raw<Problem | null>(null);
  loadedAt = $state<number | null>(null);
  /** Commands given here that the server has not answered yet. */
  sent = $state<Record<JobType, JobCommand | null>>({ jira_sync: null, git_sync: null });
  refusals = $state<Record<JobType, Refusal | null>>({ jira_sync: null, git_sync: null });
  readonly runs: Record<JobType, Resource<Run[]>> = { jira_sync: runsOf('jira_sync'), git_sync: runsOf('git_sync') };

  #board = $state.raw<Board>({ jobs: [], health: {} });
  #settle: ReturnType<typeof setTimeout> | undefined;
  #moved = new Set<JobType>();
  #spoken = '';
  /** Told when a job comes to an end while the page is open. */
  onEnd: (job: JobType, status: 'FINISHED' | 'ERROR') => void = () => {};

  readonly #connection = new Connection(
    {
      ticket: async () => (await api.socketTicket()).ticket,
      open: (ticket, since) => new WebSocket(socketAddress(ticket, since)),
      events: api.events,
    },
    {
      link: (state) => (this.link = state),
      event: (event) => this.#onEvent(event),
      resync: () => this.refresh(),
    },
  );

  get jobs(): Job[] {
    return this.#board.jobs;
  }

  get health(): Partial<SystemHealth> {
    return this.#board.health;
  }

  /** The command that this job is busy with, given here or by somebody else. */
  busyWith(job: Job): JobCommand | null {
    return this.sent[job.job_type] ?? job.pending_command;
  }

  get stopping(): boolean {
    return this.jobs.some((job) => this.busyWith(job) === 'stop');
  }

  /** Keeps the board current until the returned function is called. */
  open(): () => void {
    const hurry = () => this.#connection.hurry();
    window.addEventListener('online', hurry);
    void this.refresh();
    void this.#askHealth();
    this.#connection.start();
    return () => {
      window.removeEventListener('online', hurry);
      this.#connection.stop();
      clearTimeout(this.#settle);
    };
  }

  /** Asks for everything anew. Tells whether the jobs arrived. */
  async refresh(): Promise<boolean> {
    const [arrived] = await Promise.all([this.#askJobs(), ...jobTypes.map((job) => this.runs[job].reload())]);
    return arrived;
  }

  async refreshAll(): Promise<void> {
    await Promise.all([this.refresh(), this.#askHealth()]);
  }

  async command(job: JobType, command: JobCommand): Promise<void> {
    this.sent[job] = command;
    this.refusals[job] = null;
    try {
      this.#take(await api.command(job, command));
    } catch (thrown) {
      this.refusals[job] = { command, problem: Problem.of(thrown) };
    } finally {
      this.sent[job] = null;
    }
    this.#settleSoon(job);
  }

  async #askJobs(): Promise<boolean> {
    try {
      const { items } = await api.jobs();
      this.#board = withSnapshot(this.#board, items);
      this.problem = null;
      this.loadedAt = Date.now();
      return true;
    } catch (thrown) {
      this.problem = Problem.of(thrown);
      return false;
    }
  }

  async #askHealth(): Promise<void> {
    const health = healthFrom(await api.health());
    this.#board = { ...this.#board, health: { ...this.#board.health, ...health } };
  }

  #take(job: Job): void {
    const jobs = this.jobs.map((known) => (known.job_type === job.job_type ? job : known));
    this.#board = withSnapshot(this.#board, jobs);
  }

  #onEvent(event: LiveEvent): void {
    const before = this.#board;
    this.#board = after(before, event);
    this.loadedAt = Date.now();
    if (event.type === 'system_health') return;
    const was = before.jobs.find((job) => job.job_type === event.job_type);
    const is = this.jobs.find((job) => job.job_type === event.job_type);
    if (!is) return;
    this.#speak(is);
    if (event.type !== 'job_status') return;
    this.#settleSoon(is.job_type);
    if (was?.status !== is.status && (is.status === 'FINISHED' || is.status === 'ERROR')) {
      this.onEnd(is.job_type, is.status);
    }
  }

  /** Changes of state and every tenth of the way are worth a sentence. */
  #speak(job: Job): void {
    const tenth = job.status === 'RUNNING' && job.progress !== null ? Math.floor(job.progress / 10) * 10 : null;
    const sentence = t.jobs.announce(
      t.jobs.names[job.job_type],
      t.jobs.statuses[job.status],
      tenth === null ? null : progress(tenth),
    );
    if (sentence === this.#spoken) return;
    this.#spoken = sentence;
    announcer.say(sentence);
  }

  #settleSoon(job: JobType, waitMs = settleMs): void {
    this.#moved.add(job);
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => void this.#settleNow(), waitMs);
  }

  async #settleNow(): Promise<void> {
    const moved = [...this.#moved];
    this.#moved.clear();
    await Promise.all([this.#askJobs(), ...moved.map((job) => this.runs[job].reload())]);
    const pending = this.jobs.find((job) => job.pending_command !== null);
    if (pending) this.#settleSoon(pending.job_type, askWhilePendingMs);
  }
}

function runsOf(job: JobType): Resource<Run[]> {
  return new Resource(async () => (await api.runs(job, runsShown)).items);
}

function socketAddress(ticket: string, since: number | null): string {
  const address = new URL('/ws', location.origin.replace(/^http/, 'ws'));
  address.searchParams.set('ticket', ticket);
  if (since !== null) address.searchParams.set('since', String(since));
  return address.href;
}

export const healthParts = ['database', 'queue', 'cache', 'integrations'] as const;
export type HealthPart = (typeof healthParts)[number];
export type { HealthLevel };

export const board = new LiveBoard();
