import { type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { matchesLabels, selectorFromMap } from '../../machinery/labelSelector.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, map, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateCounts, validateNotNegative, validateRunningTemplate } from '../apps/validation.ts';
import { CONTAINER_COLUMNS, labelsText } from '../apps/workloadColumns.ts';
import { keepSpec } from '../statusRules.ts';
import { setPodSpecDefaults } from './podDefaults.ts';
import { PodTemplateSpec } from './podTemplate.ts';
import { workloadWarnings } from './podWarnings.ts';

export const ReplicationController = object('io.k8s.api.core.v1.ReplicationController', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ReplicationControllerSpec),
  status: opt(3, ReplicationControllerStatus),
}));
export interface ReplicationController extends Infer<typeof ReplicationController> {}

export const ReplicationControllerStatus = object('io.k8s.api.core.v1.ReplicationControllerStatus', () => ({
  replicas: req(1, int32),
  fullyLabeledReplicas: opt(2, int32, { pointer: false }),
  observedGeneration: opt(3, int64, { pointer: false }),
  readyReplicas: opt(4, int32, { pointer: false }),
  availableReplicas: opt(5, int32, { pointer: false }),
  conditions: opt(
    6,
    list(ReplicationControllerCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
  ),
}));
export interface ReplicationControllerStatus extends Infer<typeof ReplicationControllerStatus> {}

export const ReplicationControllerCondition = object('io.k8s.api.core.v1.ReplicationControllerCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface ReplicationControllerCondition extends Infer<typeof ReplicationControllerCondition> {}

export const ReplicationControllerSpec = object('io.k8s.api.core.v1.ReplicationControllerSpec', () => ({
  replicas: opt(1, int32, { default: 1, doc: 'How many pods there are to be.' }),
  selector: opt(2, map(str, { atomic: true }), { doc: "The labels of its pods; the template's where none are given." }),
  template: opt(3, PodTemplateSpec, { pointer: true, doc: 'What the pods are made from.' }),
  minReadySeconds: opt(4, int32, {
    pointer: false,
    doc: 'How long a new pod must be ready before it counts as available.',
  }),
}));
export interface ReplicationControllerSpec extends Infer<typeof ReplicationControllerSpec> {}

/** Replication controllers: a number of like pods; replica sets came after them. */
export const replicationControllers = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  schema: ReplicationController,
  shortNames: ['rc'],
  categories: ['all'],
  hasGeneration: true,
  setDefaults(controller) {
    const spec = controller.spec;
    if (spec === undefined) return;
    const labels = spec.template?.metadata?.labels ?? {};
    if (Object.keys(labels).length > 0) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      controller.metadata ??= {};
      if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
    }
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    if (spec.template?.spec !== undefined) setPodSpecDefaults(spec.template.spec);
  },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  validate: validateController,
  update: {
    prepare(controller, old) {
      controller.status = old.status ?? { replicas: 0 };
    },
    validate: validateController,
  },
  status: { prepare: keepSpec, validate: validateControllerStatus },
  scale: {
    specReplicas: (controller) => controller.spec?.replicas ?? 1,
    setSpecReplicas(controller, replicas) {
      controller.spec = { ...controller.spec, replicas };
    },
    statusReplicas: (controller) => controller.status?.replicas ?? 0,
    selector(controller) {
      const selector = labelsText(controller.spec?.selector);
      return selector === '<none>' ? '' : selector;
    },
  },
  warnings: workloadWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Desired',
      type: 'integer',
      description: 'How many pods are asked for.',
      value: (controller) => controller.spec?.replicas ?? 1,
    },
    {
      name: 'Current',
      type: 'integer',
      description: 'How many pods there are.',
      value: (controller) => controller.status?.replicas ?? 0,
    },
    {
      name: 'Ready',
      type: 'integer',
      description: 'How many of them are ready.',
      value: (controller) => controller.status?.readyReplicas ?? 0,
    },
    AGE_COLUMN,
    // A controller's selector is a plain map, and these two look at the template only.
    ...CONTAINER_COLUMNS.map((column) => ({
      ...column,
      value: (controller: ReplicationController, now: number) =>
        column.value(
          controller.spec?.template === undefined ? {} : { spec: { template: controller.spec.template } },
          now,
        ),
    })),
    {
      name: 'Selector',
      type: 'string',
      description: 'Which pods are its own.',
      priority: 1,
      value: (controller) => labelsText(controller.spec?.selector),
    },
  ],
  selectableFields: { 'status.replicas': (controller) => String(controller.status?.replicas ?? 0) },
});

function validateController(controller: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  const spec = controller.spec ?? {};
  validateNotNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  const selector = spec.selector ?? {};
  const empty = Object.keys(selector).length === 0;
  if (empty) errors.push(required('spec.selector'));
  validateNotNegative(spec.replicas, 'spec.replicas', errors);
  const labels = spec.template?.metadata?.labels;
  if (spec.template !== undefined && !empty && !matchesLabels(selectorFromMap(selector), labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'));
  }
  validateRunningTemplate(spec.template, undefined, 'spec.template', errors);
  return errors;
}

function validateControllerStatus(controller: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  const status = controller.status ?? { replicas: 0 };
  validateCounts(status, STATUS_COUNTS, errors);
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
  'observedGeneration',
] as const;
