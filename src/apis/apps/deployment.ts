import { type FieldError, forbidden, invalid, notSupported } from '../../machinery/fieldError.ts';
import { percentOf } from '../../machinery/intOrString.ts';
import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import type { IntOrString } from '../../machinery/schema/types.ts';
import {
  bool,
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
import { keepLabels, keepSpec } from '../statusRules.ts';
import { validateNotNegative, validateRunningTemplate, validateSelector } from './validation.ts';
import { selectorText, WORKLOAD_COLUMNS } from './workloadColumns.ts';

export const Deployment = object('io.k8s.api.apps.v1.Deployment', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, DeploymentSpec),
  status: opt(3, DeploymentStatus),
}));
export interface Deployment extends Infer<typeof Deployment> {}

export const DeploymentStatus = object('io.k8s.api.apps.v1.DeploymentStatus', () => ({
  observedGeneration: opt(1, int64, { pointer: false }),
  replicas: opt(2, int32, { pointer: false }),
  updatedReplicas: opt(3, int32, { pointer: false }),
  availableReplicas: opt(4, int32, { pointer: false }),
  unavailableReplicas: opt(5, int32, { pointer: false }),
  conditions: opt(6, list(DeploymentCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  readyReplicas: opt(7, int32, { pointer: false }),
  collisionCount: opt(8, int32),
  terminatingReplicas: opt(9, int32),
}));
export interface DeploymentStatus extends Infer<typeof DeploymentStatus> {}

export const DeploymentCondition = object('io.k8s.api.apps.v1.DeploymentCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  reason: opt(4, str),
  message: opt(5, str),
  lastUpdateTime: opt(6, time),
  lastTransitionTime: opt(7, time),
}));
export interface DeploymentCondition extends Infer<typeof DeploymentCondition> {}

export const DeploymentSpec = object('io.k8s.api.apps.v1.DeploymentSpec', () => ({
  replicas: opt(1, int32, { default: 1 }),
  selector: req(2, LabelSelector, { pointer: true }),
  template: req(3, PodTemplateSpec),
  strategy: opt(4, DeploymentStrategy, { pointer: false, patch: 'retainKeys' }),
  minReadySeconds: opt(5, int32, { pointer: false }),
  revisionHistoryLimit: opt(6, int32, { default: 10 }),
  paused: opt(7, bool, { pointer: false }),
  progressDeadlineSeconds: opt(9, int32, { default: 600 }),
}));
export interface DeploymentSpec extends Infer<typeof DeploymentSpec> {}

export const DeploymentStrategy = object('io.k8s.api.apps.v1.DeploymentStrategy', () => ({
  type: opt(1, str),
  rollingUpdate: opt(2, RollingUpdateDeployment),
}));
export interface DeploymentStrategy extends Infer<typeof DeploymentStrategy> {}

export const RollingUpdateDeployment = object('io.k8s.api.apps.v1.RollingUpdateDeployment', () => ({
  maxUnavailable: opt(1, intOrString),
  maxSurge: opt(2, intOrString),
}));
export interface RollingUpdateDeployment extends Infer<typeof RollingUpdateDeployment> {}

/** What a rolling update may lack or add, of the replicas asked for. */
const ROLLING_SHARE = '25%';

/** Deployments: replica sets rolled out one after the other. */
export const deployments = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  schema: Deployment,
  shortNames: ['deploy'],
  categories: ['all'],
  hasGeneration: true,
  setDefaults(deployment) {
    const spec = deployment.spec;
    if (spec === undefined) return;
    spec.strategy ??= {};
    spec.strategy.type ||= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= ROLLING_SHARE;
      spec.strategy.rollingUpdate.maxSurge ??= ROLLING_SHARE;
    }
    if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
    if (spec.paused === false) delete spec.paused;
    if (spec.template?.spec !== undefined) setPodSpecDefaults(spec.template.spec);
  },
  prepareForCreate(deployment) {
    deployment.status = {};
  },
  validate: validateDeployment,
  update: {
    prepare(deployment, old) {
      deployment.status = old.status ?? {};
    },
    validate(deployment, old) {
      const errors = validateDeployment(deployment);
      if (!semanticEqual(LabelSelector, deployment.spec?.selector, old.spec?.selector)) {
        errors.push(invalid('spec.selector', deployment.spec?.selector, 'field is immutable'));
      }
      return errors;
    },
  },
  status: {
    prepare(deployment, old) {
      keepSpec(deployment, old);
      keepLabels(deployment, old);
    },
    validate: validateDeploymentStatus,
  },
  scale: {
    specReplicas: (deployment) => deployment.spec?.replicas ?? 1,
    setSpecReplicas(deployment, replicas) {
      // A stored deployment has a spec: validation asked for it.
      deployment.spec = { ...(deployment.spec as DeploymentSpec), replicas };
    },
    statusReplicas: (deployment) => deployment.status?.replicas ?? 0,
    selector: (deployment) => selectorText(deployment.spec?.selector),
  },
  warnings: workloadWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Ready',
      type: 'string',
      description: 'Pods that are ready, of those asked for.',
      value: (deployment) => `${deployment.status?.readyReplicas ?? 0}/${deployment.spec?.replicas ?? 1}`,
    },
    {
      name: 'Up-to-date',
      type: 'string',
      description: 'Pods made from the newest template.',
      value: (deployment) => deployment.status?.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      type: 'string',
      description: 'Pods that have been ready for as long as minReadySeconds asks.',
      value: (deployment) => deployment.status?.availableReplicas ?? 0,
    },
    AGE_COLUMN,
    ...WORKLOAD_COLUMNS,
  ],
});

function validateDeployment(deployment: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  const spec = deployment.spec;
  validateNotNegative(spec?.replicas, 'spec.replicas', errors);
  const usable = validateSelector(spec?.selector, 'spec.selector', errors);
  validateRunningTemplate(spec?.template, usable ? spec?.selector : undefined, 'spec.template', errors);
  if (spec === undefined) return errors;
  if (spec.strategy !== undefined) validateStrategy(spec.strategy, errors);
  validateNotNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  validateNotNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  const deadline = spec.progressDeadlineSeconds;
  validateNotNegative(deadline, 'spec.progressDeadlineSeconds', errors);
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

function validateStrategy(strategy: DeploymentStrategy, errors: FieldError[]): void {
  switch (strategy.type) {
    case 'Recreate':
      if (strategy.rollingUpdate !== undefined) {
        errors.push(
          forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"),
        );
      }
      break;
    case 'RollingUpdate':
      validateRollingUpdate(strategy.rollingUpdate ?? {}, errors);
      break;
    default:
      errors.push(notSupported('spec.strategy.type', strategy.type, ['Recreate', 'RollingUpdate']));
  }
}

function validateRollingUpdate(rolling: RollingUpdateDeployment, errors: FieldError[]): void {
  const path = 'spec.strategy.rollingUpdate';
  const { maxUnavailable = 0, maxSurge = 0 } = rolling;
  for (const field of ['maxUnavailable', 'maxSurge'] as const) {
    const value = rolling[field];
    if (typeof value === 'number') validateNotNegative(value, `${path}.${field}`, errors);
    else if (value !== undefined && percentOf(value) === undefined) {
      errors.push(invalid(`${path}.${field}`, value, "must be a whole number or a percentage (e.g. '1' or '10%')"));
    }
  }
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  if ((percentOf(maxUnavailable) ?? 0) > 100) {
    errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'));
  }
}

const isZero = (value: IntOrString) => value === 0 || percentOf(value) === 0;

function validateDeploymentStatus(deployment: Deployment, old: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  const status = deployment.status ?? {};
  for (const field of STATUS_COUNTS) validateNotNegative(status[field], `status.${field}`, errors);
  const replicas = status.replicas ?? 0;
  for (const field of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[field] ?? 0;
    if (value > replicas) errors.push(invalid(`status.${field}`, value, 'cannot be greater than status.replicas'));
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    errors.push(invalid('status.availableReplicas', status.availableReplicas, 'cannot be greater than readyReplicas'));
  }
  const collisions = old.status?.collisionCount;
  if (collisions !== undefined && (status.collisionCount ?? 0) < collisions) {
    errors.push(invalid('status.collisionCount', status.collisionCount, 'cannot be decremented'));
  }
  return errors;
}

const STATUS_COUNTS = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'collisionCount',
] as const;
