// The jobs of the mock: they obey commands, move when running, and say so as events.
import * as fixtures from './fixtures.mjs';

const tickMs = 500;
const acknowledgeMs = 1_500;

const jobsOf = {
  live: () => [
    fixtures.job('jira_sync', 'RUNNING', {
      steps: fixtures.jiraSteps.running(),
      progress: 45,
      step: 'issues',
      rows_per_second: 842,
      eta_seconds: 171,
      next_run_at: null,
      budget: { remaining: 8_412, limit: 10_000, resets_at: null },
    }),
    fixtures.job('git_sync', 'FINISHED'),
  ],
  idle: () => [fixtures.job('jira_sync', 'FINISHED'), fixtures.job('git_sync', 'FINISHED')],
  fresh: () => [
    fixtures.job('jira_sync', 'NOT_STARTED', { last_run_id: null, last_success_at: null, next_run_at: null }),
    fixtures.job('git_sync', 'NOT_STARTED', { last_run_id: null, last_success_at: null, next_run_at: null }),
  ],
  trouble: () => [
    fixtures.job('jira_sync', 'ERROR', {
      steps: fixtures.jiraSteps.failed(),
      next_run_at: fixtures.ahead(7 * 60_000),
      error:
        'Jira refused the token for northwind.atlassian.net (401). Paste a new one under Integrations, then retry.',
    }),
    fixtures.job('git_sync', 'PAUSED', { steps: fixtures.gitSteps.running(), progress: 31, step: 'pull_requests' }),
  ],
  waiting: () => [
    fixtures.job('jira_sync', 'PENDING', { steps: [] }),
    fixtures.job('git_sync', 'RUNNING', {
      steps: fixtures.gitSteps.running(),
      progress: 31,
      step: 'pull_requests',
      rows_per_second: 0,
      waiting_until: fixtures.ahead(11 * 60_000),
      budget: { remaining: 0, limit: 5_000, resets_at: null },
      next_run_at: null,
    }),
  ],
  stopping: () => [
    fixtures.job('jira_sync', 'RUNNING', {
      steps: fixtures.jiraSteps.running(),
      progress: 45,
      step: 'issues',
      rows_per_second: 842,
      eta_seconds: 171,
      pending_command: 'stop',
    }),
    fixtures.job('git_sync', 'FINISHED'),
  ],
};

const transitions = {
  run: { from: ['NOT_STARTED', 'FINISHED', 'ERROR'], to: 'RUNNING' },
  retry: { from: ['ERROR'], to: 'RUNNING' },
  pause: { from: ['RUNNING'], to: 'PAUSED' },
  resume: { from: ['PAUSED'], to: 'RUNNING' },
  stop: { from: ['PENDING', 'RUNNING', 'PAUSED'], to: 'NOT_STARTED' },
};

export class World {
  seq = 0;
  events = [];
  listeners = new Set();

  constructor() {
    this.become('live');
    setInterval(() => this.tick(), tickMs).unref();
  }

  become(scenario) {
    this.scenario = scenario;
    this.moving = scenario === 'live' || scenario === 'cut';
    this.jobs = (jobsOf[scenario] ?? jobsOf.live)();
    this.runs = scenario === 'fresh' ? { jira_sync: [], git_sync: [] } : fixtures.runs();
    this.integrations = scenario === 'fresh' ? [] : fixtures.integrations();
    this.schedule = fixtures.schedule();
    for (const job of this.jobs) this.#openRunOf(job);
    this.health =
      scenario === 'trouble'
        ? { database: 'healthy', queue: 'warning', cache: 'healthy', integrations: 'down' }
        : {
            database: 'healthy',
            queue: 'healthy',
            cache: 'healthy',
            integrations: scenario === 'fresh' ? 'healthy' : 'warning',
          };
  }

  #openRunOf(job) {
    const history = this.runs[job.job_type];
    if (job.status === 'RUNNING' || job.status === 'PAUSED') history.unshift(fixtures.openRun(job.job_type, job.steps));
    if (job.status === 'ERROR') history.unshift(fixtures.failedRun(job.job_type, job.steps, job.error));
  }

  say(event) {
    this.seq += 1;
    const numbered = { ...event, seq: this.seq };
    this.events.push(numbered);
    for (const listener of this.listeners) listener(numbered);
  }

  /** The job after a command, or null if it is refused. */
  command(type, command) {
    const job = this.jobs.find((each) => each.job_type === type);
    const transition = transitions[command];
    if (!job || !transition?.from.includes(job.status)) return null;
    if (command === 'stop') {
      job.pending_command = command;
      setTimeout(() => this.move(job, transition.to), acknowledgeMs).unref();
      return job;
    }
    if (command === 'pause') {
      // The job is paused at once; its workers obey at their next page.
      this.move(job, transition.to, command);
      setTimeout(() => (job.pending_command = null), acknowledgeMs).unref();
      return job;
    }
    this.moving = true;
    if (command !== 'resume') this.#begin(job);
    this.move(job, transition.to);
    return job;
  }

  #begin(job) {
    job.steps = job.job_type === 'jira_sync' ? fixtures.jiraSteps.running() : fixtures.gitSteps.running();
    job.progress = 0;
    job.rows = 0;
    job.step = job.steps.find((step) => step.status === 'RUNNING').name;
    this.runs[job.job_type].unshift(fixtures.openRun(job.job_type, job.steps));
  }

  move(job, status, pending = null) {
    job.status = status;
    job.version += 1;
    job.pending_command = pending;
    job.error = null;
    const open = this.runs[job.job_type].find((run) => run.outcome === null);
    const ended = status === 'FINISHED' || status === 'NOT_STARTED';
    if (open && ended) {
      open.outcome = status === 'FINISHED' ? 'FINISHED' : 'STOPPED';
      open.finished_at = new Date().toISOString();
    }
    if (status === 'FINISHED') job.last_success_at = new Date().toISOString();
    if (status !== 'RUNNING') job.rows_per_second = job.eta_seconds = null;
    this.say({ type: 'job_status', ...structuredClone(job) });
  }

  tick() {
    if (!this.moving) return;
    for (const job of this.jobs) if (job.status === 'RUNNING') this.#advance(job);
  }

  #advance(job) {
    job.progress = Math.min(100, job.progress + 0.4);
    job.rows_per_second = 700 + Math.round(Math.random() * 300);
    job.rows += Math.round((job.rows_per_second * tickMs) / 1000);
    job.eta_seconds = Math.round(((100 - job.progress) / 0.4) * (tickMs / 1000));
    const running = job.steps.find((step) => step.status === 'RUNNING');
    if (running) running.rows += Math.round((job.rows_per_second * tickMs) / 1000);
    this.say({
      type: 'progress_update',
      job_type: job.job_type,
      step: job.step,
      progress: job.progress,
      rows: job.rows,
      rows_per_second: job.rows_per_second,
      eta_seconds: job.eta_seconds,
      waiting_until: null,
      budget: job.budget ?? null,
      steps: job.steps,
    });
    if (job.progress >= 100) this.move(job, 'FINISHED');
  }
}
