// A company that has mapped most of its statuses: the rules of the real thing, as far as the page shows them.
import { newId, problem } from './fixtures.mjs';

const hour = 3600;
const day = 24 * hour;

export class Mappings {
  constructor(sourceId, { fresh = false } = {}) {
    this.source = sourceId;
    this.workflows = [fresh ? byDefault() : delivery(), ...(fresh ? [] : [support()])];
    this.statuses = [];
    this.types = [];
    /** Statuses that issues are in: name, Jira's category, how many, and the step that it probably is. */
    this.inUse = fresh ? [] : inUse();
    if (fresh) return;
    for (const [status, step, more] of mapped) this.#map(status, step, more);
    this.#type('Epic', { hierarchy_level: 1 });
    const epic = this.types[0].id;
    this.#type('Story', { parent_id: epic, workflow_id: this.workflows[0].id });
    this.#type('Service request', { mapped_to: 'Task', parent_id: epic });
    this.#type('Sub-task', { hierarchy_level: -1, active: false });
  }

  #map(status, name, more = {}) {
    const step_id = this.steps().find((step) => step.name === name).id;
    this.statuses.push(row({ status, step_id, integration_id: this.source, issue_type: null, ...more }));
  }

  #type(issue_type, more) {
    const base = { issue_type, mapped_to: issue_type, hierarchy_level: 0, parent_id: null, workflow_id: null };
    this.types.push(row({ ...base, integration_id: null, ...more }));
  }

  steps() {
    return this.workflows.flatMap((workflow) => workflow.steps);
  }

  listOf(noun) {
    switch (noun) {
      case 'workflows':
        return this.workflows;
      case 'workflow-steps':
        return this.steps();
      case 'status-mappings':
        return this.statuses;
      case 'issue-type-mappings':
        return this.types;
    }
  }

  #unnamed() {
    return this.inUse.filter(({ status }) => !this.statuses.some((mapping) => mapping.status === status));
  }

  /** Statuses that no mapping names, and no step takes. */
  #unmapped() {
    const taken = new Set(this.steps().map((step) => step.status_category));
    return this.#unnamed()
      .filter(({ category }) => !taken.has(category))
      .map(({ status, category, issues }) => ({
        integration_id: this.source,
        issue_type: 'Story',
        status,
        status_category: category,
        issues,
      }));
  }

  all(noun) {
    if (noun !== 'status-mappings') return { items: this.listOf(noun), next_cursor: null };
    const unmapped = this.#unmapped();
    return { items: this.statuses, next_cursor: null, complete: unmapped.length === 0, unmapped };
  }

  suggest() {
    const items = this.#unnamed().map(({ status, category, issues, likely }) => ({
      integration_id: this.source,
      status,
      status_category: category,
      issues,
      suggestions: likely.map(([name, confidence, ...reasons]) => {
        const step = this.steps().find((candidate) => candidate.name === name);
        return {
          step_id: step.id,
          step: name,
          category: step.category,
          workflow_id: step.workflow_id,
          confidence,
          reasons,
        };
      }),
    }));
    return { items, next_cursor: null };
  }

  preview({ changes }) {
    const moves = changes
      .filter((change) => !change.delete)
      .map((change) => {
        const known = this.inUse.find(({ status }) => status === change.status);
        return {
          integration_id: this.source,
          issue_type: 'Story',
          status: change.status,
          from: 'unmapped_status',
          to: this.steps().find((step) => step.id === change.step_id).name,
          issues: known?.issues ?? 12,
        };
      });
    const named = new Set(changes.map(({ status }) => status));
    const unmapped = this.#unmapped().filter(({ status }) => !named.has(status));
    const sum = (rows) => rows.reduce((total, { issues }) => total + issues, 0);
    return {
      issues_moved: sum(moves),
      moves,
      left_unmapped: sum(unmapped),
      unmapped,
      lead_time: {
        before: { p50_seconds: 5.2 * day, p85_seconds: 11.4 * day, counted: 812 },
        after: { p50_seconds: 6.1 * day, p85_seconds: 11.4 * day, counted: 846 },
      },
    };
  }

  impact() {
    return {
      issues: 284,
      steps: 0,
      status_mappings: 2,
      issue_type_mappings: 0,
      metrics: ['lead_time', 'cycle_time', 'time_in_step', 'flow_efficiency', 'throughput', 'forecast'],
    };
  }

  /** Adds a row, or replaces the one with this id; answers with a status and a body. */
  put(noun, id, draft) {
    const before = this.listOf(noun).find((each) => each.id === id);
    if (noun === 'workflow-steps') return this.#putStep(before, draft);
    const { steps, ...rest } = draft;
    if (before) return [200, Object.assign(before, rest, { version: before.version + 1 })];
    const made = row({ active: true, ...rest });
    if (noun === 'workflows') {
      made.default = false;
      made.steps = (steps ?? []).map((step, at) => stepOf(made, at + 1, step));
    }
    this.listOf(noun).push(made);
    return [201, made];
  }

  #putStep(before, { move_commitment, ...draft }) {
    const workflow = this.workflows.find(({ id }) => id === draft.workflow_id);
    const present = this.steps().find((step) => step.commitment_point && step !== before);
    if (draft.commitment_point && present) {
      const { name } = this.workflows.find(({ id }) => id === present.workflow_id);
      const detail = `The commitment point of all connections is "${present.name}" of the workflow "${name}"; there can be only one.`;
      if (!move_commitment) return [409, problem(409, 'commitment_point_taken', 'Conflict', detail)];
      present.commitment_point = false;
    }
    const step = before ? Object.assign(before, draft) : stepOf(workflow, draft.position, draft);
    const others = workflow.steps.filter((other) => other !== step);
    workflow.steps = others.toSpliced(step.position - 1, 0, step);
    workflow.steps.forEach((each, at) => (each.position = at + 1));
    return [before ? 200 : 201, step];
  }

  remove(noun, id) {
    const lists = noun === 'workflow-steps' ? this.workflows.map(({ steps }) => steps) : [this.listOf(noun)];
    for (const list of lists) {
      const at = list.findIndex((each) => each.id === id);
      if (at >= 0) list.splice(at, 1);
    }
    return this.impact();
  }
}

const row = (fields) => ({ id: newId(), active: true, version: 1, ...fields });

const stepOf = (workflow, position, fields) =>
  row({
    workflow_id: workflow.id,
    integration_id: workflow.integration_id,
    waiting: fields.category !== 'IN_PROGRESS',
    commitment_point: false,
    status_category: null,
    ...fields,
    position,
  });

function workflowOf(name, steps, more = {}) {
  const workflow = row({ name, integration_id: null, default: false, steps: [], ...more });
  workflow.steps = steps.map(([step, category, fields], at) =>
    stepOf(workflow, at + 1, { name: step, category, ...fields }),
  );
  return workflow;
}

const byDefault = () =>
  workflowOf(
    'Default',
    [
      ['To Do', 'TO_DO', { status_category: 'TO_DO' }],
      ['In Progress', 'IN_PROGRESS', { status_category: 'IN_PROGRESS', commitment_point: true }],
      ['Done', 'DONE', { status_category: 'DONE' }],
    ],
    { default: true },
  );

const delivery = () =>
  workflowOf('Delivery', [
    ['Backlog', 'TO_DO', { status_category: 'TO_DO' }],
    ['Ready', 'TO_DO', { commitment_point: true }],
    ['Development', 'IN_PROGRESS'],
    ['Review', 'IN_PROGRESS', { waiting: true }],
    ['Verification', 'IN_PROGRESS'],
    ['Released', 'DONE', { status_category: 'DONE' }],
    ['Dropped', 'DISCARDED'],
  ]);

const support = () =>
  workflowOf(
    'Support desk',
    [
      ['Open', 'TO_DO'],
      ['With agent', 'IN_PROGRESS'],
      ['Closed', 'DONE'],
    ],
    { active: false },
  );

const mapped = [
  ['Backlog', 'Backlog'],
  ['Selected for Development', 'Ready'],
  ['In Progress', 'Development'],
  ['Done', 'Released'],
  ['Won’t Do', 'Dropped'],
  ['Ready for QA', 'Verification', { issue_type: 'Bug' }],
  ['On hold', 'Review', { active: false }],
];

const inUse = () => [
  {
    status: 'In Review',
    category: 'IN_PROGRESS',
    issues: 1_204,
    likely: [
      ['Review', 0.92, 'Both names say "review".', '412 of 430 moves come from no later step or go to no earlier one.'],
      ['Development', 0.41, 'Jira groups it with IN_PROGRESS.'],
    ],
  },
  {
    status: 'Testing on staging with the customer',
    category: 'IN_PROGRESS',
    issues: 37,
    likely: [['Verification', 0.66, 'Its name means IN_PROGRESS.', 'Jira groups it with IN_PROGRESS.']],
  },
  { status: 'Blocked', category: 'IN_PROGRESS', issues: 9, likely: [] },
  {
    status: 'Resolved',
    category: 'DONE',
    issues: 318,
    likely: [['Released', 0.85, 'Its name means DONE.', 'Jira groups it with DONE.']],
  },
  {
    status: 'Open',
    category: 'TO_DO',
    issues: 0,
    likely: [['Backlog', 0.52, 'Jira groups it with TO_DO.']],
  },
];
