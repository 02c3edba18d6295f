/** The gateway's shapes, as its HTTP interface spells them. Times are RFC 3339 in UTC. */

export type Timestamp = string;

export interface Palette {
  [name: `color${number}` | `on_color${number}`]: string | undefined;
}

export type Theme = 'light' | 'dark';
export type ColorMode = 'default' | 'custom';

export interface Session {
  user: { id: string; email: string; first_name: string | null; last_name: string | null };
  client: { id: string; name: string; logo_url: string | null };
  theme: Theme;
  color_mode: ColorMode;
  colors: Partial<Record<Theme, Palette>> | null;
  return_url: string | null;
  frontend_origins: string[];
  expires_at: Timestamp;
  version: string;
}

export interface SignedIn {
  success: boolean;
  redirect_url: string;
}

export const jobTypes = ['jira_sync', 'git_sync'] as const;
export type JobType = (typeof jobTypes)[number];

export type JobStatus = 'NOT_STARTED' | 'PENDING' | 'RUNNING' | 'PAUSED' | 'FINISHED' | 'ERROR';
export type JobCommand = 'run' | 'pause' | 'resume' | 'stop' | 'retry';
export type StepStatus = 'PENDING' | 'RUNNING' | 'DONE' | 'FAILED' | 'SKIPPED';
export type RunOutcome = 'FINISHED' | 'ERROR' | 'STOPPED';
export type RunTrigger = 'manual' | 'schedule' | 'retry';

export interface Step {
  name: string;
  status: StepStatus;
  tasks_total: number;
  tasks_done: number;
  rows: number;
}

/** What the source still lets us ask before we have to wait. */
export interface Budget {
  remaining?: number | null;
  limit?: number | null;
  resets_at?: Timestamp | null;
}

export interface Job {
  job_type: JobType;
  status: JobStatus;
  version: number;
  active: boolean;
  /** Percent, 0 to 100. */
  progress: number | null;
  step: string | null;
  rows: number;
  rows_per_second: number | null;
  eta_seconds: number | null;
  waiting_until: Timestamp | null;
  next_run_at: Timestamp | null;
  last_run_id: string | null;
  last_success_at: Timestamp | null;
  error: string | null;
  steps: Step[];
  pending_command: 'pause' | 'stop' | null;
  budget?: Budget | null;
}

export interface Gap {
  scope: string;
  reason: string;
}

export interface Run {
  id: string;
  job_type: JobType;
  outcome: RunOutcome | null;
  trigger: RunTrigger;
  started_at: Timestamp;
  finished_at: Timestamp | null;
  attempt: number;
  steps: Step[];
  requests: number;
  gaps: Gap[];
  error: string | null;
}

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export interface Schedule {
  enabled: boolean;
  interval_minutes: number;
  timezone: string;
  retry: { enabled: boolean; interval_minutes: number; max_attempts: number };
}

export type HealthLevel = 'healthy' | 'warning' | 'down';

export interface SystemHealth {
  database: HealthLevel;
  queue: HealthLevel;
  cache: HealthLevel;
  integrations: HealthLevel;
}

/** A job that changed its state, as it is now. */
export interface JobStatusEvent extends Omit<Job, 'budget'> {
  type: 'job_status';
  seq: number;
}

export interface ProgressEvent {
  type: 'progress_update';
  seq: number;
  job_type: JobType;
  step: string | null;
  progress: number | null;
  rows: number;
  rows_per_second: number | null;
  eta_seconds: number | null;
  waiting_until: Timestamp | null;
  budget: Budget | null;
  steps?: Step[];
}

export interface SystemHealthEvent extends Partial<SystemHealth> {
  type: 'system_health';
  seq: number;
}

export type LiveEvent = JobStatusEvent | ProgressEvent | SystemHealthEvent;

export interface EventPage {
  items: LiveEvent[];
  next_seq: number;
}

export type IntegrationType = 'jira' | 'github';
export type IntegrationHealth = HealthLevel | 'unknown';

export interface Integration {
  id: string;
  type: IntegrationType;
  name: string;
  base_url: string;
  username: string | null;
  projects?: string[];
  repositories?: string[];
  active: boolean;
  health: IntegrationHealth;
  health_detail: string | null;
  last_sync_at: Timestamp | null;
  created_at: Timestamp;
}

/** What is sent to store or test an integration; a secret left out keeps the stored one. */
export interface IntegrationDraft {
  type: IntegrationType;
  name: string;
  base_url: string;
  username?: string;
  api_token?: string;
  token?: string;
  projects?: string[];
  repositories?: string[];
}

export type CheckName = 'address' | 'reachable' | 'auth' | 'permissions' | 'scope' | 'quota' | 'clock';
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Check {
  name: CheckName;
  status: CheckStatus;
  detail: string | null;
  hint: string | null;
}

export interface Scope {
  key: string;
  name: string;
  available: boolean;
  detail: string | null;
}

export interface ConnectionTest {
  ok: boolean;
  checks: Check[];
  scopes: Scope[];
}

export type DoraMetricName =
  | 'deployment_frequency'
  | 'lead_time_for_changes'
  | 'change_failure_rate'
  | 'failed_deployment_recovery_time'
  | 'time_to_restore';

/** Things that are counted. */
export type Thing = 'issues' | 'pull_requests' | 'lines' | 'files' | 'reviews' | 'people' | 'comments' | 'rounds';
export type Unit = 'days_per_week' | 'seconds' | 'ratio' | Thing;
export type Band = 'ELITE' | 'HIGH' | 'MEDIUM' | 'LOW';

export interface Metric {
  name: string;
  value: number | null;
  unit: Unit;
  kind: 'linear' | 'nearest_rank' | null;
  band: Band | null;
  previous: number | null;
  counted: number;
  excluded: { reason: string; count: number }[];
  /** Of the value and of each detail that is a percentile: `linear` or `nearest_rank`. */
  kinds?: Record<string, string>;
  formula: string;
  version: number;
  empty_reason: string | null;
  details: Record<string, unknown> | null;
  /** The rows that were counted, if they were asked for. */
  ids?: string[];
}

export interface DoraMetric extends Metric {
  name: DoraMetricName;
}

export interface DoraPoint {
  start: string;
  deployments: number;
  deployment_days: number;
  lead_time_seconds: number | null;
  change_failure_rate: number | null;
  recovery_seconds: number | null;
  restore_seconds?: number | null;
}

export interface DoraReport {
  window: { from: Timestamp; to: Timestamp; timezone: string; bucket: string };
  as_of: Timestamp | null;
  band_table: string;
  metrics: DoraMetric[];
  series: DoraPoint[];
}

/** From which day until now, and of which scopes. */
export interface MetricsQuery {
  from: string;
  project: string | null;
  repository: string | null;
}

export interface FieldError {
  field?: string;
  pointer?: string;
  detail?: string;
  message?: string;
}
