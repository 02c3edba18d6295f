/** Workflows, their steps, and what is mapped to them. */
import { ask } from './client';
import type { Page } from './types';

/** How Jira groups its statuses. */
export const jiraCategories = ['TO_DO', 'IN_PROGRESS', 'DONE'] as const;
export type JiraCategory = (typeof jiraCategories)[number];

export const stepCategories = [...jiraCategories, 'DISCARDED'] as const;
export type StepCategory = (typeof stepCategories)[number];

interface Row {
  id: string;
  active: boolean;
  version: number;
}

export interface WorkflowStep extends Row {
  workflow_id: string;
  integration_id: string | null;
  name: string;
  /** From 1. */
  position: number;
  category: StepCategory;
  waiting: boolean;
  commitment_point: boolean;
  /** Statuses of this category stand here when no mapping names them. */
  status_category: JiraCategory | null;
}

export interface Workflow extends Row {
  name: string;
  integration_id: string | null;
  /** Nobody made it: it gives way to the first workflow that somebody makes. */
  default: boolean;
  steps: WorkflowStep[];
}

export interface StepDraft {
  workflow_id?: string;
  name: string;
  position?: number;
  category: StepCategory;
  waiting: boolean;
  commitment_point: boolean;
  move_commitment?: boolean;
  status_category: JiraCategory | null;
  active: boolean;
}

export interface WorkflowDraft {
  name: string;
  integration_id: string | null;
  active: boolean;
  /** Only of a new one. */
  steps?: StepDraft[];
}

export interface StatusMappingDraft {
  status: string;
  step_id: string;
  integration_id: string | null;
  issue_type: string | null;
  active: boolean;
}
export interface StatusMapping extends Row, StatusMappingDraft {
  /** Issues that stand where it says. */
  issues: number;
  /** Null where Jira has no such status. */
  status_category: JiraCategory | null;
}

export interface IssueTypeMappingDraft {
  issue_type: string;
  mapped_to: string;
  hierarchy_level: number;
  parent_id: string | null;
  workflow_id: string | null;
  integration_id: string | null;
  active: boolean;
}
export type IssueTypeMapping = Row & IssueTypeMappingDraft;

/** Issues that count nowhere, because nothing says where their status stands. */
export interface Unmapped {
  integration_id: string;
  issue_type: string | null;
  status: string;
  status_category: JiraCategory;
  issues: number;
}

/** A type that issues have. */
export interface TypeInUse {
  integration_id: string;
  issue_type: string;
  issues: number;
  /** The mapping that holds for them. */
  mapping_id: string | null;
}

export interface IssueTypeMappings extends Page<IssueTypeMapping> {
  /** Every type in use has a mapping. */
  complete: boolean;
  types: TypeInUse[];
}

export interface StatusMappings extends Page<StatusMapping> {
  complete: boolean;
  unmapped: Unmapped[];
}

export interface Suggestion {
  step_id: string;
  step: string;
  category: StepCategory;
  workflow_id: string;
  /** From 0 to 1. */
  confidence: number;
  /** Strongest first. */
  because: Reason[];
}

/** What speaks for a step. */
export type Reason =
  | { kind: 'same_name' }
  | { kind: 'shared_word'; word: string }
  | { kind: 'meaning' | 'jira_category'; category: StepCategory }
  | { kind: 'between'; fitting: number; all: number };

/** A status that no mapping names. */
export interface Unplaced {
  integration_id: string;
  status: string;
  status_category: JiraCategory;
  issues: number;
  suggestions: Suggestion[];
}

/** What can be put or taken away in one list of changes, and as what it is sent. */
interface Drafts {
  workflow: WorkflowDraft;
  workflow_step: StepDraft;
  status_mapping: StatusMappingDraft;
  issue_type_mapping: IssueTypeMappingDraft;
}
export type Noun = keyof Drafts;

/** A row as it would be, or one that would go: then `reassign_to` takes its place. */
export type Change<N extends Noun = Noun> = {
  [Each in N]:
    | { of: Each; id?: string; version?: number; put: Drafts[Each] }
    | { of: Each; id: string; version?: number; delete: true; reassign_to?: string };
}[N];

export interface LeadTimes {
  p50_seconds: number | null;
  p85_seconds: number | null;
  counted: number;
}

export interface Move {
  integration_id: string;
  issue_type: string | null;
  status: string;
  /** A step's name, or the reason why the issues count nowhere. */
  from: string;
  to: string;
  issues: number;
}

export interface Preview {
  issues_moved: number;
  moves: Move[];
  left_unmapped: number;
  unmapped: Unmapped[];
  lead_time: { before: LeadTimes; after: LeadTimes };
}

/** What deleting something or switching it off touches. */
export interface Impact {
  issues: number;
  /** Beside those, issues that were there once. */
  issues_passed: number;
  steps: number;
  status_mappings: number;
  issue_type_mappings: number;
  metrics: string[];
}

function verbs<R extends Row, Draft>(noun: string) {
  const one = (id: string) => `/api/v1/${noun}/${encodeURIComponent(id)}`;
  return {
    all: () => ask<Page<R>>('GET', `/api/v1/${noun}`),
    add: (draft: Draft) => ask<R>('POST', `/api/v1/${noun}`, draft),
    replace: (row: Row, draft: Draft) => ask<R>('PUT', one(row.id), draft, { seen: row.version }),
    remove: (row: Row, reassignTo: string | null) => {
      const query = reassignTo === null ? '' : `?reassign_to=${encodeURIComponent(reassignTo)}`;
      return ask<Impact>('DELETE', one(row.id) + query, undefined, { seen: row.version });
    },
    impact: (id: string) => ask<Impact>('GET', `${one(id)}/impact`),
  };
}

/** What changes of any kind would do; nothing is kept. */
export const preview = (changes: Change[]) => ask<Preview>('POST', '/api/v1/workflows/preview', { changes });

export const workflows = verbs<Workflow, WorkflowDraft>('workflows');
export const steps = verbs<WorkflowStep, StepDraft>('workflow-steps');
export const issueTypes = {
  ...verbs<IssueTypeMapping, IssueTypeMappingDraft>('issue-type-mappings'),
  all: () => ask<IssueTypeMappings>('GET', '/api/v1/issue-type-mappings'),
};
export const statuses = {
  ...verbs<StatusMapping, StatusMappingDraft>('status-mappings'),
  all: () => ask<StatusMappings>('GET', '/api/v1/status-mappings'),
  suggest: () => ask<Page<Unplaced>>('POST', '/api/v1/status-mappings/suggest'),
  /** All of it or nothing. */
  apply: (changes: Change<'status_mapping'>[]) => ask<StatusMappings>('PUT', '/api/v1/status-mappings', { changes }),
};
