import type {
  Change,
  JiraCategory,
  StatusMapping,
  StatusMappingDraft,
  StatusMappings,
  Suggestion,
  Unplaced,
  Workflow,
  WorkflowStep,
} from '../../api/mappings';
import type { Problem } from '../../api/problem';

/** Whether a status counts, and by what: nothing, Jira's own grouping, or a mapping that a person made. */
export type Standing = 'unmapped' | 'by-category' | 'mapped' | 'inactive';

/** A status of a connection, with or without a mapping. */
export interface StatusRow {
  key: string;
  status: string;
  /** Null where it holds for every connection. */
  integrationId: string | null;
  /** Null where it holds for every type. */
  issueType: string | null;
  category: JiraCategory | null;
  issues: number;
  /** Issues in it that count nowhere. */
  lost: number;
  mapping: StatusMapping | null;
  /** The step that it stands in without a mapping. */
  takenBy: WorkflowStep | null;
  standing: Standing;
  suggestions: Suggestion[];
}

/** What a person wants a row to become. */
export interface Edit {
  stepId: string;
  active: boolean;
  remove: boolean;
}

export type Edits = Record<string, Edit>;

const order: Standing[] = ['unmapped', 'by-category', 'mapped', 'inactive'];

/** Names compare as the server compares them. */
const folded = (text: string): string => text.trim().toLowerCase();

const keyOf = (integrationId: string | null, issueType: string | null, status: string): string =>
  [integrationId ?? '', folded(issueType ?? ''), folded(status)].join('|');

/** Every status that is mapped or could be; what counts nowhere comes first, and within that what has most issues. */
export function rowsOf(known: StatusMappings, unplaced: Unplaced[], workflows: Workflow[]): StatusRow[] {
  const lostOf = (integrationId: string | null, status: string): number =>
    known.unmapped
      .filter((row) => row.integration_id === integrationId && folded(row.status) === folded(status))
      .reduce((sum, row) => sum + row.issues, 0);
  const isLost = (integrationId: string, status: string): boolean =>
    known.unmapped.some((row) => row.integration_id === integrationId && folded(row.status) === folded(status));

  const rows = new Map<string, StatusRow>();
  for (const mapping of known.items) {
    const key = keyOf(mapping.integration_id, mapping.issue_type, mapping.status);
    rows.set(key, {
      key,
      status: mapping.status,
      integrationId: mapping.integration_id,
      issueType: mapping.issue_type,
      category: mapping.status_category,
      issues: mapping.issues,
      lost: lostOf(mapping.integration_id, mapping.status),
      mapping,
      takenBy: null,
      standing: mapping.active ? 'mapped' : 'inactive',
      suggestions: [],
    });
  }
  for (const status of unplaced) {
    const key = keyOf(status.integration_id, null, status.status);
    if (rows.has(key)) continue;
    const lost = isLost(status.integration_id, status.status);
    const takenBy = lost ? null : takerOf(status.status_category, status.integration_id, workflows);
    rows.set(key, {
      key,
      status: status.status,
      integrationId: status.integration_id,
      issueType: null,
      category: status.status_category,
      issues: status.issues,
      lost: lostOf(status.integration_id, status.status),
      mapping: null,
      takenBy,
      standing: takenBy === null ? 'unmapped' : 'by-category',
      suggestions: status.suggestions,
    });
  }
  return [...rows.values()].sort(
    (a, b) =>
      order.indexOf(a.standing) - order.indexOf(b.standing) ||
      b.issues - a.issues ||
      a.status.localeCompare(b.status) ||
      (a.issueType ?? '').localeCompare(b.issueType ?? ''),
  );
}

/** The step that takes a category of Jira: the connection's own before that of all. */
function takerOf(category: JiraCategory, integrationId: string, workflows: Workflow[]): WorkflowStep | null {
  const steps = workflows.flatMap((workflow) => workflow.steps);
  const takes = (scope: string | null) =>
    steps.find((step) => step.integration_id === scope && step.status_category === category);
  return takes(integrationId) ?? takes(null) ?? null;
}

/** Workflows with the steps that something of this connection may stand in; what holds for all may use only theirs. */
export function choicesOf(integrationId: string | null, workflows: Workflow[], present: string | null): Workflow[] {
  return workflows
    .filter((workflow) => workflow.integration_id === null || workflow.integration_id === integrationId)
    .map((workflow) => ({
      ...workflow,
      steps: workflow.steps.filter((step) => step.id === present || (step.active && workflow.active)),
    }))
    .filter((workflow) => workflow.steps.length > 0);
}

/** The edit of a row that names nothing new is none. */
export function isChange(row: StatusRow, edit: Edit | undefined): edit is Edit {
  if (edit === undefined) return false;
  if (row.mapping === null) return !edit.remove && edit.stepId !== '';
  return edit.remove || edit.stepId !== row.mapping.step_id || edit.active !== row.mapping.active;
}

export const changedRows = (rows: StatusRow[], edits: Edits): StatusRow[] =>
  rows.filter((row) => isChange(row, edits[row.key]));

/** The row as it would be sent. */
export const draftOf = (row: StatusRow, edit: Edit): StatusMappingDraft => ({
  status: row.status,
  step_id: edit.stepId,
  integration_id: row.integrationId,
  issue_type: row.issueType,
  active: edit.active,
});

/** The edits as they are sent, a change for each row that has one. */
export function changesOf(rows: StatusRow[], edits: Edits): Change<'status_mapping'>[] {
  return rows.flatMap((row): Change<'status_mapping'>[] => {
    const edit = edits[row.key];
    if (!isChange(row, edit)) return [];
    const of = 'status_mapping';
    if (row.mapping === null) return [{ of, put: draftOf(row, edit) }];
    const { id, version } = row.mapping;
    return [edit.remove ? { of, id, version, delete: true } : { of, id, version, put: draftOf(row, edit) }];
  });
}

/** The row that a refusal of many changes is about, if it is about one. */
export function refusedRow(problem: Problem, rows: StatusRow[]): StatusRow | null {
  for (const { field } of problem.errors) {
    const at = /^changes\[(\d+)\]/.exec(field ?? '')?.[1];
    if (at !== undefined) return rows[Number(at)] ?? null;
  }
  return null;
}

/** The edit that a row has, or the one that would change nothing. */
export const editOf = (row: StatusRow, edits: Edits): Edit =>
  edits[row.key] ?? { stepId: row.mapping?.step_id ?? '', active: row.mapping?.active ?? true, remove: false };

/** Edits that take the best suggestion of each row that is sure enough and not edited yet. */
export function suggested(rows: StatusRow[], edits: Edits, least: number): Edits {
  const taken: Edits = {};
  for (const row of rows) {
    const best = row.suggestions[0];
    if (row.mapping !== null || isChange(row, edits[row.key]) || best === undefined || best.confidence < least)
      continue;
    taken[row.key] = { stepId: best.step_id, active: true, remove: false };
  }
  return taken;
}

/** Rows in which every word of the search occurs. */
export function matching(rows: StatusRow[], search: string): StatusRow[] {
  const words = folded(search).split(/\s+/).filter(Boolean);
  return rows.filter((row) => words.every((word) => folded(`${row.status} ${row.issueType ?? ''}`).includes(word)));
}

export interface StatusMove {
  status: string;
  from: string;
  to: string;
  issues: number;
}

/** Moves of all types of a status in one line, the largest first. */
export function byStatus(moves: StatusMove[]): StatusMove[] {
  const lines = new Map<string, StatusMove>();
  for (const { status, from, to, issues } of moves) {
    const key = [status, from, to].join('|');
    lines.set(key, { status, from, to, issues: issues + (lines.get(key)?.issues ?? 0) });
  }
  return [...lines.values()].sort((a, b) => b.issues - a.issues || a.status.localeCompare(b.status));
}
