import type { JobCommand, JobStatus, RunOutcome, StepStatus } from '../../api/types';
import type { IconName } from '../../ui/Icon.svelte';
import type { Tone } from '../../ui/Pill.svelte';

interface Look {
  tone: Tone;
  icon: IconName;
  spin?: boolean;
}

export const statusLook: Record<JobStatus, Look> = {
  NOT_STARTED: { tone: 'calm', icon: 'ring' },
  PENDING: { tone: 'calm', icon: 'clock' },
  RUNNING: { tone: 'info', icon: 'spinner', spin: true },
  PAUSED: { tone: 'warn', icon: 'pause' },
  FINISHED: { tone: 'good', icon: 'check' },
  ERROR: { tone: 'bad', icon: 'warning' },
};

export const outcomeLook: Record<RunOutcome, Look> = {
  FINISHED: { tone: 'good', icon: 'check' },
  ERROR: { tone: 'bad', icon: 'warning' },
  STOPPED: { tone: 'calm', icon: 'stop' },
};

export const stepLook: Record<StepStatus, Look> = {
  PENDING: { tone: 'calm', icon: 'ring' },
  RUNNING: { tone: 'info', icon: 'spinner', spin: true },
  DONE: { tone: 'good', icon: 'check' },
  FAILED: { tone: 'bad', icon: 'cross' },
  SKIPPED: { tone: 'calm', icon: 'minus' },
};

export const commandIcon: Record<JobCommand, IconName> = {
  run: 'play',
  pause: 'pause',
  resume: 'play',
  retry: 'retry',
  stop: 'stop',
};

/** What a job may be told in each state: the same table that the server holds, which has the last word. */
const allowed: Record<JobStatus, readonly JobCommand[]> = {
  NOT_STARTED: ['run'],
  PENDING: ['stop'],
  RUNNING: ['pause', 'stop'],
  PAUSED: ['resume', 'stop'],
  FINISHED: ['run'],
  ERROR: ['run', 'retry'],
};

export const isAllowed = (status: JobStatus, command: JobCommand): boolean => allowed[status].includes(command);

/** The commands shown for a state: always in the same places, pause and resume sharing one. */
export const commandsFor = (status: JobStatus, busyWith: JobCommand | null): JobCommand[] => [
  'run',
  status === 'PAUSED' && busyWith !== 'pause' ? 'resume' : 'pause',
  'retry',
  'stop',
];

/** The command most likely wanted, if any stands out. */
export function mainCommand(status: JobStatus): JobCommand | null {
  switch (status) {
    case 'NOT_STARTED':
      return 'run';
    case 'PAUSED':
      return 'resume';
    case 'ERROR':
      return 'retry';
    case 'PENDING':
    case 'RUNNING':
    case 'FINISHED':
      return null;
  }
}
