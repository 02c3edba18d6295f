import type { Job, JobStatusEvent, LiveEvent, ProgressEvent, SystemHealth, SystemHealthEvent } from '../api/types';

/** What the live page knows: replaced by a snapshot, moved on by events. */
export interface Board {
  jobs: Job[];
  health: Partial<SystemHealth>;
}

/** The board after an event. An event that tells nothing new returns the same board. */
export function after(board: Board, event: LiveEvent): Board {
  switch (event.type) {
    case 'job_status':
      return withJob(board, event.job_type, (job) => onStatus(job, event));
    case 'progress_update':
      return withJob(board, event.job_type, (job) => onProgress(job, event));
    case 'system_health':
      return { ...board, health: onHealth(board.health, event) };
    default:
      return board;
  }
}

/** A snapshot may have left the server before an event we already know; the higher version wins, job by job. */
export function withSnapshot(board: Board, jobs: Job[]): Board {
  const known = new Map(board.jobs.map((job) => [job.job_type, job]));
  return {
    ...board,
    jobs: jobs.map((fresh) => {
      const present = known.get(fresh.job_type);
      return present && present.version > fresh.version ? present : fresh;
    }),
  };
}

function withJob(board: Board, jobType: string, move: (job: Job) => Job): Board {
  const jobs = board.jobs.map((job) => (job.job_type === jobType ? move(job) : job));
  return jobs.some((job, at) => job !== board.jobs[at]) ? { ...board, jobs } : board;
}

/** The event holds the whole job as it is now, except what only progress tells. */
function onStatus(job: Job, event: JobStatusEvent): Job {
  if (event.version < job.version) return job;
  const { type, seq, ...now } = event;
  return { ...job, ...now };
}

/** Progress of a job that does not run any more is late news. */
function onProgress(job: Job, event: ProgressEvent): Job {
  if (job.status !== 'RUNNING') return job;
  return {
    ...job,
    step: event.step,
    progress: event.progress,
    rows: event.rows,
    rows_per_second: event.rows_per_second,
    eta_seconds: event.eta_seconds,
    waiting_until: event.waiting_until,
    budget: event.budget,
    steps: event.steps && event.steps.length > 0 ? event.steps : job.steps,
  };
}

function onHealth(health: Partial<SystemHealth>, event: SystemHealthEvent): Partial<SystemHealth> {
  return {
    database: event.database ?? health.database,
    queue: event.queue ?? health.queue,
    cache: event.cache ?? health.cache,
    integrations: event.integrations ?? health.integrations,
  };
}
