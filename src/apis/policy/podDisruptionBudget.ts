import { type FieldError, invalid, notSupported } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { Condition, LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import {
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  map,
  object,
  opt,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateCounts, validateShare } from '../apps/validation.ts';
import { validateConditions } from '../conditions.ts';
import { keepSpec } from '../statusRules.ts';

export const PodDisruptionBudget = object('io.k8s.api.policy.v1.PodDisruptionBudget', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PodDisruptionBudgetSpec),
  status: opt(3, PodDisruptionBudgetStatus),
}));
export interface PodDisruptionBudget extends Infer<typeof PodDisruptionBudget> {}

export const PodDisruptionBudgetStatus = object('io.k8s.api.policy.v1.PodDisruptionBudgetStatus', () => ({
  observedGeneration: opt(1, int64, { pointer: false }),
  disruptedPods: opt(2, map(time)),
  disruptionsAllowed: opt(3, int32, { pointer: false }),
  currentHealthy: opt(4, int32, { pointer: false }),
  desiredHealthy: opt(5, int32, { pointer: false }),
  expectedPods: opt(6, int32, { pointer: false }),
  conditions: opt(7, list(Condition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface PodDisruptionBudgetStatus extends Infer<typeof PodDisruptionBudgetStatus> {}

export const PodDisruptionBudgetSpec = object('io.k8s.api.policy.v1.PodDisruptionBudgetSpec', () => ({
  minAvailable: opt(1, intOrString, {
    doc: 'How many pods, or what share, must stay available. Not with maxUnavailable.',
  }),
  selector: opt(2, LabelSelector, {
    patch: 'replace',
    doc: 'Which pods it is about. An empty one: all of the namespace; none: no pod.',
  }),
  maxUnavailable: opt(3, intOrString, { doc: 'How many pods, or what share, may be missing. Not with minAvailable.' }),
  unhealthyPodEvictionPolicy: opt(4, str, {
    pointer: true,
    doc: 'IfHealthyBudget: pods that are not ready go only while enough others are. AlwaysAllow: at any time.',
  }),
}));
export interface PodDisruptionBudgetSpec extends Infer<typeof PodDisruptionBudgetSpec> {}

const UNHEALTHY_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];
const STATUS_COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

/** Pod disruption budgets: how many pods may be evicted at a time. */
export const podDisruptionBudgets = defineKind<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  schema: PodDisruptionBudget,
  shortNames: ['pdb'],
  hasGeneration: true,
  prepareForCreate(budget) {
    budget.status = emptyStatus();
  },
  validate: validateBudget,
  update: {
    prepare(budget, old) {
      budget.status = old.status ?? emptyStatus();
    },
    validate: validateBudget,
  },
  status: {
    prepare(budget, old) {
      keepSpec(budget, old);
      budget.status = { ...emptyStatus(), ...budget.status };
    },
    validate: validateBudgetStatus,
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Min Available',
      type: 'string',
      description: 'How many pods must stay.',
      value: (budget) => shareText(budget.spec?.minAvailable),
    },
    {
      name: 'Max Unavailable',
      type: 'string',
      description: 'How many pods may be missing.',
      value: (budget) => shareText(budget.spec?.maxUnavailable),
    },
    {
      name: 'Allowed Disruptions',
      type: 'integer',
      description: 'How many pods may be evicted now.',
      value: (budget) => budget.status?.disruptionsAllowed ?? 0,
    },
    AGE_COLUMN,
  ],
});

/** Counts that are always told, also where they are none. */
const emptyStatus = (): PodDisruptionBudgetStatus => ({
  disruptionsAllowed: 0,
  currentHealthy: 0,
  desiredHealthy: 0,
  expectedPods: 0,
});

const shareText = (share: number | string | undefined) => (share === undefined ? 'N/A' : String(share));

function validateBudget(budget: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = budget.spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(invalid('spec', budget.spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  validateShare(minAvailable, 'spec.minAvailable', errors);
  validateShare(maxUnavailable, 'spec.maxUnavailable', errors);
  if (selector !== undefined) errors.push(...validateLabelSelector(selector, 'spec.selector'));
  if (policy !== undefined && !UNHEALTHY_POLICIES.includes(policy)) {
    errors.push(notSupported('spec.unhealthyPodEvictionPolicy', policy, UNHEALTHY_POLICIES));
  }
  return errors;
}

function validateBudgetStatus(budget: PodDisruptionBudget): FieldError[] {
  const errors: FieldError[] = [];
  validateConditions(budget.status?.conditions ?? [], 'status.conditions', errors);
  validateCounts(budget.status ?? {}, STATUS_COUNTS, errors);
  return errors;
}
