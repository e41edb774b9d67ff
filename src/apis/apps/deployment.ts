import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
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
import { PodTemplateSpec } from '../core/podTemplate.ts';

export const Deployment = object('io.k8s.api.apps.v1.Deployment', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, DeploymentSpec),
  status: opt(3, DeploymentStatus),
}));
export interface Deployment extends Infer<typeof Deployment> {}

export const DeploymentStatus = object('io.k8s.api.apps.v1.DeploymentStatus', () => ({
  observedGeneration: opt(1, int64),
  replicas: opt(2, int32),
  updatedReplicas: opt(3, int32),
  availableReplicas: opt(4, int32),
  unavailableReplicas: opt(5, int32),
  conditions: opt(6, list(DeploymentCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  readyReplicas: opt(7, int32),
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
  selector: req(2, LabelSelector),
  template: req(3, PodTemplateSpec),
  strategy: opt(4, DeploymentStrategy, { patch: 'retainKeys' }),
  minReadySeconds: opt(5, int32),
  revisionHistoryLimit: opt(6, int32, { default: 10 }),
  paused: opt(7, bool),
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
  status: {},
});
