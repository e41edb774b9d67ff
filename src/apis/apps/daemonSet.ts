import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import {
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  object,
  opt,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { setPodSpecDefaults } from '../core/podDefaults.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';
import { workloadWarnings } from '../core/podWarnings.ts';
import { keepSpec } from '../statusRules.ts';
import {
  isZeroShare,
  validateCollisions,
  validateCounts,
  validateNotNegative,
  validateRunningTemplate,
  validateSelector,
  validateShare,
} from './validation.ts';
import { labelsText, WORKLOAD_COLUMNS } from './workloadColumns.ts';

export const DaemonSet = object('io.k8s.api.apps.v1.DaemonSet', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, DaemonSetSpec),
  status: opt(3, DaemonSetStatus),
}));
export interface DaemonSet extends Infer<typeof DaemonSet> {}

export const DaemonSetStatus = object('io.k8s.api.apps.v1.DaemonSetStatus', () => ({
  currentNumberScheduled: req(1, int32),
  numberMisscheduled: req(2, int32),
  desiredNumberScheduled: req(3, int32),
  numberReady: req(4, int32),
  observedGeneration: opt(5, int64, { pointer: false }),
  updatedNumberScheduled: opt(6, int32, { pointer: false }),
  numberAvailable: opt(7, int32, { pointer: false }),
  numberUnavailable: opt(8, int32, { pointer: false }),
  collisionCount: opt(9, int32),
  conditions: opt(10, list(DaemonSetCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface DaemonSetStatus extends Infer<typeof DaemonSetStatus> {}

export const DaemonSetCondition = object('io.k8s.api.apps.v1.DaemonSetCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface DaemonSetCondition extends Infer<typeof DaemonSetCondition> {}

export const DaemonSetSpec = object('io.k8s.api.apps.v1.DaemonSetSpec', () => ({
  selector: req(1, LabelSelector, {
    pointer: true,
    doc: "Which pods are the set's own; never changes, and matches the template.",
  }),
  template: req(2, PodTemplateSpec, {
    doc: 'What the pods are made from; its node selector says which nodes get one.',
  }),
  updateStrategy: opt(3, DaemonSetUpdateStrategy, {
    pointer: false,
    doc: 'How pods come to follow a changed template.',
  }),
  minReadySeconds: opt(4, int32, {
    pointer: false,
    doc: 'How long a new pod must be ready before it counts as available.',
  }),
  revisionHistoryLimit: opt(6, int32, { default: 10, doc: 'How many old revisions are kept to roll back to.' }),
}));
export interface DaemonSetSpec extends Infer<typeof DaemonSetSpec> {}

export const DaemonSetUpdateStrategy = object('io.k8s.api.apps.v1.DaemonSetUpdateStrategy', () => ({
  type: opt(1, str, { doc: 'RollingUpdate, or OnDelete: pods change when somebody deletes them.' }),
  rollingUpdate: opt(2, RollingUpdateDaemonSet),
}));
export interface DaemonSetUpdateStrategy extends Infer<typeof DaemonSetUpdateStrategy> {}

export const RollingUpdateDaemonSet = object('io.k8s.api.apps.v1.RollingUpdateDaemonSet', () => ({
  maxUnavailable: opt(1, intOrString, { doc: 'On how many nodes, or what share, the pod may be missing meanwhile.' }),
  maxSurge: opt(2, intOrString, {
    doc: 'On how many nodes, or what share, there may be an old and a new pod meanwhile.',
  }),
}));
export interface RollingUpdateDaemonSet extends Infer<typeof RollingUpdateDaemonSet> {}

/** Counts the template's versions; older clients read it. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** Daemon sets: a pod on every node, or on every one of some. */
export const daemonSets = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  schema: DaemonSet,
  shortNames: ['ds'],
  categories: ['all'],
  hasGeneration: true,
  setDefaults(set) {
    const spec = set.spec;
    if (spec === undefined) return;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    if (spec.template?.spec !== undefined) setPodSpecDefaults(spec.template.spec);
  },
  prepareForCreate(set) {
    set.status = emptyStatus();
    setTemplateGeneration(set, Math.max(1, templateGenerationOf(set)));
  },
  validate: validateDaemonSet,
  update: {
    prepare(set, old) {
      set.status = old.status ?? emptyStatus();
      const same = semanticEqual(PodTemplateSpec, set.spec?.template, old.spec?.template);
      setTemplateGeneration(set, templateGenerationOf(old) + (same ? 0 : 1));
    },
    validate(set, old) {
      const errors = validateDaemonSet(set);
      if (!semanticEqual(LabelSelector, set.spec?.selector, old.spec?.selector)) {
        errors.push(invalid('spec.selector', set.spec?.selector, 'field is immutable'));
      }
      return errors;
    },
  },
  status: { prepare: keepSpec, validate: validateDaemonSetStatus },
  warnings: workloadWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Desired',
      type: 'integer',
      description: 'Nodes that should run the pod.',
      value: (set) => set.status?.desiredNumberScheduled ?? 0,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'Those of them that have one.',
      value: (set) => set.status?.currentNumberScheduled ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'Those of them on which it is ready.',
      value: (set) => set.status?.numberReady ?? 0,
    },
    {
      name: 'Up-to-date',
      type: 'integer',
      description: 'Nodes whose pod is made from the newest template.',
      value: (set) => set.status?.updatedNumberScheduled ?? 0,
    },
    {
      name: 'Available',
      type: 'integer',
      description: 'Nodes whose pod has been ready for as long as minReadySeconds asks.',
      value: (set) => set.status?.numberAvailable ?? 0,
    },
    {
      name: 'Node Selector',
      type: 'string',
      description: 'The labels of the nodes that are to run the pod.',
      value: (set) => labelsText(set.spec?.template?.spec?.nodeSelector),
    },
    AGE_COLUMN,
    ...WORKLOAD_COLUMNS,
  ],
});

const emptyStatus = (): DaemonSetStatus => ({
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
});

function templateGenerationOf(set: DaemonSet): number {
  const text = set.metadata?.annotations?.[TEMPLATE_GENERATION] ?? '';
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

function setTemplateGeneration(set: DaemonSet, generation: number): void {
  set.metadata ??= {};
  if (generation === 0) delete set.metadata.annotations?.[TEMPLATE_GENERATION];
  else set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function validateDaemonSet(set: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<DaemonSetSpec> = set.spec ?? {};
  const usable = validateSelector(spec.selector, 'spec.selector', errors);
  validateRunningTemplate(spec.template, usable ? spec.selector : undefined, 'spec.template', errors);
  validateStrategy(spec.updateStrategy ?? {}, errors);
  validateNotNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  validateNotNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  return errors;
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, errors: FieldError[]): void {
  if (strategy.type === 'OnDelete') return;
  if (strategy.type !== 'RollingUpdate') {
    errors.push(notSupported('spec.updateStrategy.type', strategy.type ?? '', ['OnDelete', 'RollingUpdate']));
    return;
  }
  const path = 'spec.updateStrategy.rollingUpdate';
  if (strategy.rollingUpdate === undefined) {
    errors.push(required(path));
    return;
  }
  const { maxUnavailable, maxSurge } = strategy.rollingUpdate;
  validateShare(maxUnavailable, `${path}.maxUnavailable`, errors);
  validateShare(maxSurge, `${path}.maxSurge`, errors);
  const none = isZeroShare(maxUnavailable);
  if (none && isZeroShare(maxSurge)) {
    errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  } else if (!none && !isZeroShare(maxSurge)) {
    errors.push(invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
}

function validateDaemonSetStatus(set: DaemonSet, old: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  const status = set.status ?? emptyStatus();
  validateCounts(status, STATUS_COUNTS, errors);
  validateCollisions(status.collisionCount, old.status?.collisionCount, errors);
  return errors;
}

const STATUS_COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;
