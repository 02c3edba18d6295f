import {
  type IssueTypeMapping,
  type IssueTypeMappingDraft,
  jiraCategories,
  type Noun,
  type StepCategory,
  stepCategories,
  type StepDraft,
  type TypeInUse,
  type Workflow,
  type WorkflowStep,
} from '../../api/mappings';
import type { Problem } from '../../api/problem';

/** A second commitment point was refused, naming the present one. */
export const isTaken = ({ code }: Problem): boolean => code === 'commitment_point_taken';

/** The same, or that there would be none. */
export const isAboutCommitment = (problem: Problem): boolean =>
  isTaken(problem) || problem.code === 'commitment_point_needed';

/** Whether work in a step of this category is still to be done: there it waits or is worked on, and can be promised. */
export const isOpen = (category: StepCategory): boolean => category === 'TO_DO' || category === 'IN_PROGRESS';

/** The step from which lead time runs in a scope, and its workflow. */
export function commitmentOf(
  workflows: Workflow[],
  integrationId: string | null,
): { step: WorkflowStep; workflow: Workflow } | null {
  for (const workflow of workflows) {
    if (workflow.integration_id !== integrationId) continue;
    const step = workflow.steps.find((candidate) => candidate.commitment_point);
    if (step) return { step, workflow };
  }
  return null;
}

/** A step as it is, to be sent back changed. */
export const draftOfStep = (step: WorkflowStep): StepDraft => ({
  workflow_id: step.workflow_id,
  name: step.name,
  position: step.position,
  category: step.category,
  waiting: step.waiting,
  commitment_point: step.commitment_point,
  status_category: step.status_category,
  active: step.active,
});

/** The same of an issue type. */
export const draftOfType = (type: IssueTypeMapping): IssueTypeMappingDraft => ({
  issue_type: type.issue_type,
  mapped_to: type.mapped_to,
  hierarchy_level: type.hierarchy_level,
  parent_id: type.parent_id,
  workflow_id: type.workflow_id,
  integration_id: type.integration_id,
  active: type.active,
});

/** Whether numbers change with a step: its name and its place do not matter to them. */
export function movesNumbers(before: WorkflowStep | null, after: StepDraft): boolean {
  if (before === null) return after.commitment_point || after.status_category !== null;
  return (['category', 'waiting', 'commitment_point', 'status_category', 'active'] as const).some(
    (field) => before[field] !== after[field],
  );
}

/** That something goes, as it would be sent; `heir` takes its place. */
export const removalOf = <N extends Noun>(of: N, id: string, heir: string | null) => ({
  of,
  id,
  delete: true as const,
  ...(heir === null ? {} : { reassign_to: heir }),
});

/** Where a new step of a category goes: behind the last of its own or an earlier one. */
export function placeFor(category: StepCategory, steps: WorkflowStep[]): number {
  const rank = (each: StepCategory) => stepCategories.indexOf(each);
  return steps.filter((step) => rank(step.category) <= rank(category)).length + 1;
}

/** Whether a step can change places with its neighbour: work goes forward, so categories keep their order. */
export function canMove(steps: WorkflowStep[], at: number, by: -1 | 1): boolean {
  const neighbour = steps[at + by];
  return neighbour !== undefined && neighbour.category === steps[at]?.category;
}

/**
 * The steps that a new workflow begins with: one for each of Jira's categories, or those of another workflow. What only
 * one step of a scope can have stays with the one that has it.
 */
export function firstSteps(
  names: Record<StepCategory, string>,
  from: Workflow | null,
  scope: string | null,
  workflows: Workflow[],
): StepDraft[] {
  // The default gives way to a new workflow, and leaves it everything.
  const others = workflows.filter((workflow) => !workflow.default && workflow.integration_id === scope);
  const committed = commitmentOf(others, scope) !== null;
  const taken = new Set(others.flatMap((workflow) => workflow.steps.map((step) => step.status_category)));
  const begun =
    from?.steps.map((step) => ({ ...draftOfStep(step), workflow_id: undefined, position: undefined })) ??
    jiraCategories.map((category): StepDraft => ({
      name: names[category],
      category,
      waiting: category !== 'IN_PROGRESS',
      commitment_point: category === 'IN_PROGRESS',
      status_category: category,
      active: true,
    }));
  return begun.map((step) => ({
    ...step,
    commitment_point: step.commitment_point && !committed,
    status_category: taken.has(step.status_category) ? null : step.status_category,
  }));
}

/** Categories of Jira that no other step of the scope takes. */
export const freeCategories = (workflows: Workflow[], scope: string | null, stepId: string | null) =>
  jiraCategories.filter(
    (category) =>
      !workflows.some(
        (workflow) =>
          workflow.integration_id === scope &&
          workflow.steps.some((step) => step.id !== stepId && step.status_category === category),
      ),
  );

/** Types that may be above one: of a higher level, and not below it already. */
export function parentsFor(types: IssueTypeMapping[], id: string | null, level: number): IssueTypeMapping[] {
  const isBelow = (type: IssueTypeMapping): boolean => {
    for (let at: IssueTypeMapping | undefined = type; at !== undefined; at = parentOf(types, at)) {
      if (at.id === id) return true;
    }
    return false;
  };
  return types.filter((type) => type.hierarchy_level > level && !isBelow(type));
}

const parentOf = (types: IssueTypeMapping[], type: IssueTypeMapping): IssueTypeMapping | undefined =>
  types.find((candidate) => candidate.id === type.parent_id && candidate.id !== type.id);

/** The highest level first, and each type behind what is above it. */
export const byHierarchy = (types: IssueTypeMapping[]): IssueTypeMapping[] =>
  types.toSorted((a, b) => b.hierarchy_level - a.hierarchy_level || a.issue_type.localeCompare(b.issue_type));

/** The names of types that issues have, each once. */
export const typeNames = (inUse: TypeInUse[]): string[] =>
  [...new Set(inUse.map(({ issue_type }) => issue_type))].sort((a, b) => a.localeCompare(b));
