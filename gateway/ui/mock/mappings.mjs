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
    const page = { items: this.listOf(noun), next_cursor: null };
    if (noun === 'issue-type-mappings') return { ...page, ...this.#typesInUse() };
    if (noun !== 'status-mappings') return page;
    const unmapped = this.#unmapped();
    const items = this.statuses.map((mapping, at) => ({
      ...mapping,
      issues: mapping.active ? 1_900 - at * 260 : 0,
      status_category: this.steps()
        .find(({ id }) => id === mapping.step_id)
        .category.replace('DISCARDED', 'DONE'),
    }));
    return { ...page, items, complete: unmapped.length === 0, unmapped };
  }

  #typesInUse() {
    const names = this.inUse.length === 0 ? [] : ['Story', 'Epic', 'Bug', 'Sub-task', 'Change request'];
    const types = names.map((issue_type, at) => ({
      integration_id: this.source,
      issue_type,
      issues: 4_210 - at * 930,
      mapping_id: this.types.find((mapping) => mapping.issue_type === issue_type)?.id ?? null,
    }));
    return { types, complete: types.every(({ mapping_id }) => mapping_id !== null) };
  }

  suggest() {
    const items = this.#unnamed().map(({ status, category, issues, likely }) => ({
      integration_id: this.source,
      status,
      status_category: category,
      issues,
      suggestions: likely.map(([name, confidence, ...because]) => {
        const step = this.steps().find((candidate) => candidate.name === name);
        return {
          step_id: step.id,
          step: name,
          category: step.category,
          workflow_id: step.workflow_id,
          confidence,
          because,
        };
      }),
    }));
    return { items, next_cursor: null };
  }

  preview({ changes }) {
    if (changes.some(({ of }) => of !== 'status_mapping')) return this.#previewOfWorkflows(changes);
    const moves = changes
      .filter((change) => !change.delete)
      .map(({ put: change }) => {
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
    const named = new Set(changes.map(({ put }) => put?.status));
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

  /** All of it or nothing. */
  apply({ changes }) {
    for (const { id, put } of changes) {
      if (put) this.put('status-mappings', id ?? null, put);
      else this.remove('status-mappings', id);
    }
    return this.all('status-mappings');
  }

  /** What moving the commitment point or switching something off would do. */
  #previewOfWorkflows(changes) {
    const marked = changes.some(({ put }) => put?.commitment_point);
    const move = (status, from, to, issues) => ({
      integration_id: this.source,
      issue_type: 'Story',
      status,
      from,
      to,
      issues,
    });
    return {
      issues_moved: marked ? 0 : 284,
      moves: marked ? [] : [move('Selected for Development', 'Ready', 'inactive_workflow_step', 284)],
      left_unmapped: 0,
      unmapped: [],
      lead_time: {
        before: { p50_seconds: 5.2 * day, p85_seconds: 11.4 * day, counted: 812 },
        after: { p50_seconds: 3.1 * day, p85_seconds: 8.9 * day, counted: 812 },
      },
    };
  }

  impact() {
    return {
      issues: 284,
      issues_passed: 1_407,
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
    if (before?.commitment_point && !(draft.commitment_point && draft.active)) {
      const detail = `The commitment point of all connections is "${before.name}" of the workflow "${workflow.name}"; mark another step first, for while there are steps there must be one.`;
      return [409, problem(409, 'commitment_point_needed', 'Conflict', detail)];
    }
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
      ['Review', 0.92, { kind: 'shared_word', word: 'review' }, { kind: 'between', fitting: 412, all: 430 }],
      ['Development', 0.41, { kind: 'jira_category', category: 'IN_PROGRESS' }],
    ],
  },
  {
    status: 'Testing on staging with the customer',
    category: 'IN_PROGRESS',
    issues: 37,
    likely: [
      [
        'Verification',
        0.66,
        { kind: 'meaning', category: 'IN_PROGRESS' },
        { kind: 'jira_category', category: 'IN_PROGRESS' },
      ],
    ],
  },
  { status: 'Blocked', category: 'IN_PROGRESS', issues: 9, likely: [] },
  {
    status: 'Resolved',
    category: 'DONE',
    issues: 318,
    likely: [['Released', 0.85, { kind: 'meaning', category: 'DONE' }, { kind: 'jira_category', category: 'DONE' }]],
  },
  {
    status: 'Open',
    category: 'TO_DO',
    issues: 0,
    likely: [['Backlog', 0.52, { kind: 'jira_category', category: 'TO_DO' }]],
  },
];
