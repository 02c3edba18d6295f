import { describe, expect, it } from 'vitest';

import type {
  IssueTypeMapping,
  Reason,
  StatusMapping,
  StatusMappings,
  StepCategory,
  Suggestion,
  Unmapped,
  Unplaced,
  Workflow,
  WorkflowStep,
} from '../../api/mappings';
import { Problem } from '../../api/problem';
import { reasonText } from './look';
import {
  byStatus,
  changedRows,
  changesOf,
  choicesOf,
  type Edits,
  matching,
  refusedRow,
  rowsOf,
  type StatusRow,
  suggested,
} from './rows';
import {
  byHierarchy,
  canMove,
  commitmentOf,
  draftOfStep,
  firstSteps,
  freeCategories,
  movesNumbers,
  parentsFor,
  placeFor,
  removalOf,
} from './steps';

const names: Record<StepCategory, string> = {
  TO_DO: 'To Do',
  IN_PROGRESS: 'Doing',
  DONE: 'Done',
  DISCARDED: 'Dropped',
};

function step(id: string, category: StepCategory, more: Partial<WorkflowStep> = {}): WorkflowStep {
  return {
    id,
    workflow_id: 'w',
    integration_id: null,
    name: id,
    position: 1,
    category,
    waiting: false,
    commitment_point: false,
    status_category: null,
    active: true,
    version: 1,
    ...more,
  };
}

const workflow = (id: string, steps: WorkflowStep[], more: Partial<Workflow> = {}): Workflow => ({
  id,
  name: id,
  integration_id: null,
  default: false,
  active: true,
  version: 1,
  steps,
  ...more,
});

const mapping = (status: string, more: Partial<StatusMapping> = {}): StatusMapping => ({
  id: `m-${status}`,
  status,
  step_id: 'doing',
  integration_id: 'jira',
  issue_type: null,
  active: true,
  version: 3,
  issues: 0,
  status_category: null,
  ...more,
});

const suggestion = (step_id: string, confidence: number): Suggestion => ({
  step_id,
  step: step_id,
  category: 'IN_PROGRESS',
  workflow_id: 'w',
  confidence,
  because: [],
});

const unplaced = (status: string, issues: number, more: Partial<Unplaced> = {}): Unplaced => ({
  integration_id: 'jira',
  status,
  status_category: 'IN_PROGRESS',
  issues,
  suggestions: [],
  ...more,
});

const lost = (status: string, issues: number): Unmapped => ({
  integration_id: 'jira',
  issue_type: 'Bug',
  status,
  status_category: 'IN_PROGRESS',
  issues,
});

const known = (items: StatusMapping[], unmapped: Unmapped[] = []): StatusMappings => ({
  items,
  unmapped,
  complete: unmapped.length === 0,
});

const taking = workflow('w', [step('doing', 'IN_PROGRESS', { status_category: 'IN_PROGRESS' }), step('done', 'DONE')]);

describe('statuses', () => {
  it('come with what counts nowhere first, and then with what has most issues', () => {
    const rows = rowsOf(
      known([mapping('Done'), mapping('Held', { active: false })], [lost('Blocked', 2), lost('blocked ', 3)]),
      [unplaced('Review', 5), unplaced('Testing', 9), unplaced('Blocked', 5)],
      [taking],
    );
    expect(rows.map(({ status, standing, lost: n }) => [status, standing, n])).toEqual([
      ['Blocked', 'unmapped', 5],
      ['Testing', 'by-category', 0],
      ['Review', 'by-category', 0],
      ['Done', 'mapped', 0],
      ['Held', 'inactive', 0],
    ]);
  });

  it('stand in the step of their own connection before that of all, and in none where none takes them', () => {
    const own = workflow(
      'o',
      [step('own', 'IN_PROGRESS', { integration_id: 'jira', status_category: 'IN_PROGRESS' })],
      {
        integration_id: 'jira',
      },
    );
    const stands = (workflows: Workflow[]) => rowsOf(known([]), [unplaced('Review', 1)], workflows)[0]?.takenBy?.id;
    expect(stands([taking, own])).toBe('own');
    expect(stands([taking])).toBe('doing');
    expect(stands([workflow('w', [step('done', 'DONE', { status_category: 'DONE' })])])).toBeUndefined();
  });

  it('that are mapped for one type only are still listed for all others', () => {
    const rows = rowsOf(known([mapping('Review', { issue_type: 'Bug' })]), [unplaced('Review', 4)], [taking]);
    expect(rows.map(({ issueType, standing }) => [issueType, standing])).toEqual([
      [null, 'by-category'],
      ['Bug', 'mapped'],
    ]);
  });

  it.each([
    ['', ['In Review', 'Review', 'Testing']],
    ['review', ['In Review', 'Review']],
    ['IN rev', ['In Review']],
    ['bug', ['Testing']],
    ['nothing', []],
  ])('are found by "%s"', (search, found) => {
    const rows = rowsOf(
      known([mapping('In Review'), mapping('Review'), mapping('Testing', { issue_type: 'Bug' })]),
      [],
      [taking],
    );
    expect(matching(rows, search).map(({ status }) => status)).toEqual(found);
  });
});

describe('edits', () => {
  const rows = rowsOf(
    known([mapping('Done', { step_id: 'done' })]),
    [
      unplaced('Review', 5, { suggestions: [suggestion('doing', 0.9), suggestion('done', 0.95)] }),
      unplaced('Testing', 3, { suggestions: [suggestion('doing', 0.4)] }),
      unplaced('Odd', 1),
    ],
    [taking],
  );
  const keyOf = (status: string) => (rows.find((row) => row.status === status) as StatusRow).key;

  it.each([
    [0.95, []],
    [0.9, ['Review']],
    [0.4, ['Review', 'Testing']],
    [0, ['Review', 'Testing']],
  ])('take the best suggestion where it is at least %f sure', (least, taken) => {
    expect(Object.keys(suggested(rows, {}, least))).toEqual(taken.map(keyOf));
  });

  it('are not overwritten by suggestions', () => {
    const edits: Edits = { [keyOf('Review')]: { stepId: 'done', active: true, remove: false } };
    expect(Object.keys(suggested(rows, edits, 0))).toEqual([keyOf('Testing')]);
  });

  it.each([
    ['Review', { stepId: '', active: true, remove: false }, false],
    ['Review', { stepId: '', active: false, remove: true }, false],
    ['Review', { stepId: 'doing', active: true, remove: false }, true],
    ['Done', { stepId: 'done', active: true, remove: false }, false],
    ['Done', { stepId: 'done', active: false, remove: false }, true],
    ['Done', { stepId: 'doing', active: true, remove: false }, true],
    ['Done', { stepId: 'done', active: true, remove: true }, true],
  ])('of %s to %j are a change: %s', (status, edit, expected) => {
    expect(changedRows(rows, { [keyOf(status)]: edit }).map((row) => row.status)).toEqual(expected ? [status] : []);
  });

  it('are previewed as what would be saved', () => {
    const edits: Edits = {
      [keyOf('Review')]: { stepId: 'doing', active: true, remove: false },
      [keyOf('Done')]: { stepId: 'done', active: true, remove: true },
      [keyOf('Odd')]: { stepId: '', active: true, remove: false },
    };
    expect(changesOf(rows, edits)).toEqual([
      {
        of: 'status_mapping',
        put: { status: 'Review', step_id: 'doing', integration_id: 'jira', issue_type: null, active: true },
      },
      { of: 'status_mapping', id: 'm-Done', version: 3, delete: true },
    ]);
  });

  it.each([
    ['changes[1].step_id', 1],
    ['changes[0]', 0],
    ['changes[9].status', null],
    ['status', null],
  ] as [string, number | null][])('that are refused for %s name the row at %s', (field, at) => {
    const rows = ['Review', 'Done'].map((status) => ({ status }) as StatusRow);
    const problem = new Problem(422, { errors: [{ field, detail: 'is wrong' }] });
    expect(refusedRow(problem, rows)).toBe(at === null ? null : rows[at]);
  });

  it('of several types move a status in one line', () => {
    const move = (status: string, issues: number) => ({ status, from: 'a', to: 'b', issues });
    expect(byStatus([move('Review', 1), move('Done', 4), move('Review', 2)])).toEqual([
      move('Done', 4),
      move('Review', 3),
    ]);
  });
});

describe('steps to choose from', () => {
  const ours = workflow('ours', [step('a', 'TO_DO'), step('off', 'DONE', { active: false })]);
  const theirs = workflow('theirs', [step('b', 'TO_DO')], { integration_id: 'jira' });
  const asleep = workflow('asleep', [step('c', 'TO_DO')], { active: false });

  it.each([
    [null, null, ['a']],
    ['jira', null, ['a', 'b']],
    ['other', null, ['a']],
    [null, 'off', ['a', 'off']],
    [null, 'c', ['a', 'c']],
  ])('by something of %s that stands in %s are %j', (scope, present, steps) => {
    const choices = choicesOf(scope, [ours, theirs, asleep], present);
    expect(choices.flatMap((choice) => choice.steps.map(({ id }) => id))).toEqual(steps);
  });
});

describe('a workflow', () => {
  const steps = [step('a', 'TO_DO'), step('b', 'IN_PROGRESS', { commitment_point: true }), step('c', 'IN_PROGRESS')];

  it.each([
    ['TO_DO', 2],
    ['IN_PROGRESS', 4],
    ['DONE', 4],
  ] as [StepCategory, number][])('takes a new step of %s at %i', (category, position) => {
    expect(placeFor(category, steps)).toBe(position);
  });

  it.each([
    [0, 1, false],
    [1, -1, false],
    [1, 1, true],
    [2, -1, true],
    [2, 1, false],
  ] as [number, -1 | 1, boolean][])('lets its step %i change places by %i: %s', (at, by, can) => {
    expect(canMove(steps, at, by)).toBe(can);
  });

  it('has its commitment point in its own scope', () => {
    const all = [workflow('x', [step('a', 'TO_DO')]), workflow('w', steps)];
    expect(commitmentOf(all, null)?.step.id).toBe('b');
    expect(commitmentOf(all, 'jira')).toBeNull();
  });

  it('begins with everything that the default leaves it', () => {
    const begun = firstSteps(names, null, null, [workflow('w', steps, { default: true })]);
    expect(
      begun.map(({ name, commitment_point, status_category }) => [name, commitment_point, status_category]),
    ).toEqual([
      ['To Do', false, 'TO_DO'],
      ['Doing', true, 'IN_PROGRESS'],
      ['Done', false, 'DONE'],
    ]);
  });

  it('begins without what another of its scope has', () => {
    const other = workflow('w', [
      step('b', 'IN_PROGRESS', { commitment_point: true, status_category: 'IN_PROGRESS', workflow_id: 'w' }),
    ]);
    const copied = firstSteps(names, other, null, [other]);
    expect(copied).toMatchObject([
      { name: 'b', commitment_point: false, status_category: null, workflow_id: undefined },
    ]);
    expect(firstSteps(names, other, 'jira', [other])[0]).toMatchObject({ commitment_point: true });
  });

  it.each([
    [{ name: 'another', position: 2 }, false],
    [{ active: false }, true],
    [{ category: 'DONE' }, true],
    [{ waiting: true }, true],
    [{ commitment_point: true }, true],
    [{ status_category: 'TO_DO' }, true],
  ] as [Partial<WorkflowStep>, boolean][])('moves numbers by a step that becomes %j: %s', (more, moves) => {
    const before = step('a', 'TO_DO');
    expect(movesNumbers(before, { ...draftOfStep(before), ...more })).toBe(moves);
  });

  it('moves numbers by a new step only if something stands or is promised there', () => {
    const added = draftOfStep(step('a', 'TO_DO'));
    expect(movesNumbers(null, added)).toBe(false);
    expect(movesNumbers(null, { ...added, commitment_point: true })).toBe(true);
    expect(movesNumbers(null, { ...added, status_category: 'DONE' })).toBe(true);
  });

  it('loses a step to an heir or to nobody', () => {
    expect(removalOf('workflow_step', 'a', 'b')).toEqual({
      of: 'workflow_step',
      id: 'a',
      delete: true,
      reassign_to: 'b',
    });
    expect(removalOf('workflow_step', 'a', null)).not.toHaveProperty('reassign_to');
  });

  it('offers the categories of Jira that no other step takes', () => {
    expect(freeCategories([taking], null, null)).toEqual(['TO_DO', 'DONE']);
    expect(freeCategories([taking], null, 'doing')).toEqual(['TO_DO', 'IN_PROGRESS', 'DONE']);
    expect(freeCategories([taking], 'jira', null)).toHaveLength(3);
  });
});

it.each([
  [{ kind: 'same_name' }, 'It is called like the step.'],
  [{ kind: 'shared_word', word: 'review' }, 'Both names say “review”.'],
  [{ kind: 'meaning', category: 'IN_PROGRESS' }, 'Its name means In Progress.'],
  [{ kind: 'jira_category', category: 'DONE' }, 'Jira groups it with Done.'],
  [
    { kind: 'between', fitting: 4_120, all: 4_300 },
    '4,120 of 4,300 moves come from no later step or go to no earlier one.',
  ],
] as [Reason, string][])('what speaks for a suggestion, %j, is said in words', (reason, words) => {
  expect(reasonText(reason)).toBe(words);
});

describe('issue types', () => {
  const type = (id: string, hierarchy_level: number, parent_id: string | null = null): IssueTypeMapping => ({
    id,
    issue_type: id,
    mapped_to: id,
    hierarchy_level,
    parent_id,
    workflow_id: null,
    integration_id: null,
    active: true,
    version: 1,
  });
  const types = [type('story', 0, 'epic'), type('sub', -1, 'story'), type('epic', 1), type('theme', 2, 'sub')];

  it('are listed from the highest level down', () => {
    expect(byHierarchy(types).map(({ id }) => id)).toEqual(['theme', 'epic', 'story', 'sub']);
  });

  it.each([
    ['story', 0, ['epic']],
    [null, -1, ['story', 'epic', 'theme']],
    ['epic', 1, []],
  ] as [string | null, number, string[]][])('%s of level %i may be below %j', (id, level, parents) => {
    expect(parentsFor(types, id, level).map((each) => each.id)).toEqual(parents);
  });
});
