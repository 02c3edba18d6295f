import { describe, expect, it } from 'vitest';

import type { Job, JobStatusEvent, ProgressEvent } from '../api/types';
import { after, withSnapshot, type Board } from './reducer';

const job = (more: Partial<Job> = {}): Job => ({
  job_type: 'jira_sync',
  status: 'RUNNING',
  version: 5,
  active: true,
  progress: 40,
  step: 'issues',
  rows: 100,
  rows_per_second: 10,
  eta_seconds: 60,
  waiting_until: null,
  next_run_at: null,
  last_run_id: null,
  last_success_at: null,
  error: null,
  steps: [],
  pending_command: null,
  ...more,
});

const board = (more: Partial<Job> = {}): Board => ({ jobs: [job(more)], health: {} });

const status = (more: Partial<JobStatusEvent> = {}): JobStatusEvent => ({
  ...job({ status: 'PAUSED', version: 6, progress: 41, rows_per_second: null, eta_seconds: null }),
  type: 'job_status',
  seq: 1,
  ...more,
});

const progress = (more: Partial<ProgressEvent> = {}): ProgressEvent => ({
  type: 'progress_update',
  seq: 2,
  job_type: 'jira_sync',
  step: 'sprints',
  progress: 60,
  rows: 900,
  rows_per_second: 80,
  eta_seconds: 20,
  waiting_until: null,
  budget: null,
  ...more,
});

describe('a change of state', () => {
  it('is taken over with its version', () => {
    expect(after(board(), status()).jobs[0]).toMatchObject({ status: 'PAUSED', version: 6, progress: 41 });
  });

  it('that is older than what we know changes nothing', () => {
    const known = board({ status: 'NOT_STARTED', version: 9 });
    expect(after(known, status({ version: 6 }))).toBe(known);
  });

  it('acknowledges the pending command', () => {
    const known = board({ pending_command: 'stop' });
    expect(after(known, status({ status: 'NOT_STARTED' })).jobs[0]?.pending_command).toBeNull();
  });

  it('tells which command the workers have yet to obey', () => {
    const paused = status({ pending_command: 'pause' });
    expect(after(board(), paused).jobs[0]?.pending_command).toBe('pause');
  });

  it('leaves nothing of the message itself in the job', () => {
    expect(after(board(), status()).jobs[0]).not.toHaveProperty('seq');
  });

  it('ends the speed of a job that does not run any more', () => {
    expect(after(board(), status()).jobs[0]).toMatchObject({ rows_per_second: null, eta_seconds: null });
  });

  it('of a job we do not know changes nothing', () => {
    const known = board();
    expect(after(known, status({ job_type: 'git_sync' }))).toBe(known);
  });
});

describe('progress', () => {
  it('moves a running job on', () => {
    expect(after(board(), progress()).jobs[0]).toMatchObject({ step: 'sprints', progress: 60, rows: 900 });
  });

  it('that arrives after the job stopped is ignored', () => {
    const known = board({ status: 'NOT_STARTED' });
    expect(after(known, progress())).toBe(known);
  });

  it('without steps keeps the steps', () => {
    const steps = [{ name: 'issues', status: 'RUNNING' as const, tasks_total: 2, tasks_done: 1, rows: 5 }];
    expect(after(board({ steps }), progress()).jobs[0]?.steps).toBe(steps);
  });
});

describe('health', () => {
  it('is told part by part', () => {
    const known: Board = { jobs: [], health: { database: 'healthy', queue: 'down' } };
    expect(after(known, { type: 'system_health', seq: 1, queue: 'healthy' }).health).toMatchObject({
      database: 'healthy',
      queue: 'healthy',
    });
  });
});

describe('a snapshot', () => {
  it('replaces what is older', () => {
    expect(withSnapshot(board(), [job({ version: 6, status: 'FINISHED' })]).jobs[0]?.status).toBe('FINISHED');
  });

  it('does not undo a newer event', () => {
    expect(withSnapshot(board({ version: 8, status: 'PAUSED' }), [job()]).jobs[0]?.status).toBe('PAUSED');
  });

  it('brings the jobs the first time', () => {
    expect(withSnapshot({ jobs: [], health: {} }, [job()]).jobs).toHaveLength(1);
  });
});

it('ignores kinds of events of a newer server', () => {
  const known = board();
  expect(after(known, { type: 'firmware_update', seq: 1 } as never)).toBe(known);
});
