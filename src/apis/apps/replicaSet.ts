import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { setPodSpecDefaults } from '../core/podDefaults.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';
import { workloadWarnings } from '../core/podWarnings.ts';
import { keepSpec } from '../statusRules.ts';
import { validateNotNegative, validateRunningTemplate, validateSelector } from './validation.ts';
import { selectorText, WORKLOAD_COLUMNS } from './workloadColumns.ts';

export const ReplicaSet = object('io.k8s.api.apps.v1.ReplicaSet', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ReplicaSetSpec),
  status: opt(3, ReplicaSetStatus),
}));
export interface ReplicaSet extends Infer<typeof ReplicaSet> {}

export const ReplicaSetStatus = object('io.k8s.api.apps.v1.ReplicaSetStatus', () => ({
  replicas: req(1, int32),
  fullyLabeledReplicas: opt(2, int32, { pointer: false }),
  observedGeneration: opt(3, int64, { pointer: false }),
  readyReplicas: opt(4, int32, { pointer: false }),
  availableReplicas: opt(5, int32, { pointer: false }),
  conditions: opt(6, list(ReplicaSetCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  terminatingReplicas: opt(7, int32),
}));
export interface ReplicaSetStatus extends Infer<typeof ReplicaSetStatus> {}

export const ReplicaSetCondition = object('io.k8s.api.apps.v1.ReplicaSetCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface ReplicaSetCondition extends Infer<typeof ReplicaSetCondition> {}

export const ReplicaSetSpec = object('io.k8s.api.apps.v1.ReplicaSetSpec', () => ({
  replicas: opt(1, int32, { default: 1 }),
  selector: req(2, LabelSelector, { pointer: true }),
  template: opt(3, PodTemplateSpec),
  minReadySeconds: opt(4, int32, { pointer: false }),
}));
export interface ReplicaSetSpec extends Infer<typeof ReplicaSetSpec> {}

/** Replica sets: a number of like pods. */
export const replicaSets = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  schema: ReplicaSet,
  shortNames: ['rs'],
  categories: ['all'],
  hasGeneration: true,
  setDefaults(set) {
    if (set.spec?.minReadySeconds === 0) delete set.spec.minReadySeconds;
    if (set.spec?.template?.spec !== undefined) setPodSpecDefaults(set.spec.template.spec);
  },
  prepareForCreate(set) {
    set.status = { replicas: 0 };
  },
  validate: validateReplicaSet,
  update: {
    prepare(set, old) {
      set.status = old.status ?? { replicas: 0 };
    },
    validate(set, old) {
      const errors = validateReplicaSet(set);
      if (!semanticEqual(LabelSelector, set.spec?.selector, old.spec?.selector)) {
        errors.push(invalid('spec.selector', set.spec?.selector, 'field is immutable'));
      }
      return errors;
    },
  },
  status: { prepare: keepSpec, validate: validateReplicaSetStatus },
  scale: {
    specReplicas: (set) => set.spec?.replicas ?? 1,
    setSpecReplicas(set, replicas) {
      // A stored replica set has a spec: validation asked for it.
      set.spec = { ...(set.spec as ReplicaSetSpec), replicas };
    },
    statusReplicas: (set) => set.status?.replicas ?? 0,
    selector: (set) => selectorText(set.spec?.selector),
  },
  warnings: workloadWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Desired',
      type: 'integer',
      description: 'How many pods are asked for.',
      value: (set) => set.spec?.replicas ?? 1,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'How many pods there are.',
      value: (set) => set.status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'How many of them are ready.',
      value: (set) => set.status?.readyReplicas ?? 0,
    },
    AGE_COLUMN,
    ...WORKLOAD_COLUMNS,
  ],
  selectableFields: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
});

function validateReplicaSet(set: ReplicaSet): FieldError[] {
  const errors: FieldError[] = [];
  const spec = set.spec;
  validateNotNegative(spec?.replicas, 'spec.replicas', errors);
  validateNotNegative(spec?.minReadySeconds, 'spec.minReadySeconds', errors);
  const usable = validateSelector(spec?.selector, 'spec.selector', errors);
  validateRunningTemplate(spec?.template, usable ? spec?.selector : undefined, 'spec.template', errors);
  return errors;
}

function validateReplicaSetStatus(set: ReplicaSet): FieldError[] {
  const errors: FieldError[] = [];
  const status = set.status ?? { replicas: 0 };
  for (const field of STATUS_COUNTS) validateNotNegative(status[field], `status.${field}`, errors);
  for (const field of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[field] ?? 0;
    if (value > (status.replicas ?? 0)) {
      errors.push(invalid(`status.${field}`, value, 'cannot be greater than status.replicas'));
    }
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    errors.push(invalid('status.availableReplicas', status.availableReplicas, 'cannot be greater than readyReplicas'));
  }
  return errors;
}

const STATUS_COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'observedGeneration',
] as const;
