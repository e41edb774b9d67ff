import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel } from '../../machinery/names.ts';
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
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { setClaimSpecDefaults } from '../core/claimSpec.ts';
import { PersistentVolumeClaim } from '../core/persistentVolumeClaim.ts';
import { setPodSpecDefaults } from '../core/podDefaults.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';
import { workloadWarnings } from '../core/podWarnings.ts';
import { keepSpec } from '../statusRules.ts';
import { validateStatefulSet, validateStatefulSetStatus, validateStatefulSetUpdate } from './statefulSetValidation.ts';
import { CONTAINER_COLUMNS, selectorText } from './workloadColumns.ts';

export const StatefulSet = object('io.k8s.api.apps.v1.StatefulSet', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, StatefulSetSpec),
  status: opt(3, StatefulSetStatus),
}));
export interface StatefulSet extends Infer<typeof StatefulSet> {}

export const StatefulSetStatus = object('io.k8s.api.apps.v1.StatefulSetStatus', () => ({
  observedGeneration: opt(1, int64, { pointer: false }),
  replicas: req(2, int32),
  readyReplicas: opt(3, int32, { pointer: false }),
  currentReplicas: opt(4, int32, { pointer: false }),
  updatedReplicas: opt(5, int32, { pointer: false }),
  currentRevision: opt(6, str),
  updateRevision: opt(7, str),
  collisionCount: opt(9, int32),
  conditions: opt(10, list(StatefulSetCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  availableReplicas: opt(11, int32, { pointer: false }),
}));
export interface StatefulSetStatus extends Infer<typeof StatefulSetStatus> {}

export const StatefulSetCondition = object('io.k8s.api.apps.v1.StatefulSetCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface StatefulSetCondition extends Infer<typeof StatefulSetCondition> {}

export const StatefulSetSpec = object('io.k8s.api.apps.v1.StatefulSetSpec', () => ({
  replicas: opt(1, int32, { default: 1, doc: 'How many pods there are to be.' }),
  selector: req(2, LabelSelector, {
    pointer: true,
    doc: "Which pods are the set's own; never changes, and matches the template.",
  }),
  template: req(3, PodTemplateSpec, { doc: 'What the pods are made from; pod N is called NAME-N.' }),
  volumeClaimTemplates: opt(4, list(PersistentVolumeClaim), {
    doc: 'Claims that every pod gets one of each; they outlive the pod and come before volumes of the same name.',
  }),
  serviceName: opt(5, str, { doc: 'The headless service under which the pods have their DNS names.' }),
  podManagementPolicy: opt(6, str, {
    default: 'OrderedReady',
    doc: 'OrderedReady: one pod after the other, each when the one before is ready. Parallel: all at once.',
  }),
  updateStrategy: opt(7, StatefulSetUpdateStrategy, {
    pointer: false,
    doc: 'How pods come to follow a changed template.',
  }),
  revisionHistoryLimit: opt(8, int32, { default: 10, doc: 'How many old revisions are kept to roll back to.' }),
  minReadySeconds: opt(9, int32, {
    pointer: false,
    doc: 'How long a new pod must be ready before it counts as available.',
  }),
  persistentVolumeClaimRetentionPolicy: opt(10, StatefulSetPersistentVolumeClaimRetentionPolicy, {
    default: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    doc: 'Whether claims stay when the set is deleted or made smaller.',
  }),
  ordinals: opt(11, StatefulSetOrdinals, { doc: 'How the pods are numbered.' }),
}));
export interface StatefulSetSpec extends Infer<typeof StatefulSetSpec> {}

export const StatefulSetUpdateStrategy = object('io.k8s.api.apps.v1.StatefulSetUpdateStrategy', () => ({
  type: opt(1, str, { doc: 'RollingUpdate, or OnDelete: pods change when somebody deletes them.' }),
  rollingUpdate: opt(2, RollingUpdateStatefulSetStrategy),
}));
export interface StatefulSetUpdateStrategy extends Infer<typeof StatefulSetUpdateStrategy> {}

export const RollingUpdateStatefulSetStrategy = object('io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy', () => ({
  partition: opt(1, int32, { doc: 'Pods below this number stay at the old revision.' }),
  maxUnavailable: opt(2, intOrString, { doc: 'How many pods may be unavailable during an update, or what share.' }),
}));
export interface RollingUpdateStatefulSetStrategy extends Infer<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = object(
  'io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy',
  () => ({
    whenDeleted: opt(1, str, { default: 'Retain', doc: 'Retain or Delete, when the set is deleted.' }),
    whenScaled: opt(2, str, { default: 'Retain', doc: 'Retain or Delete, when the set is made smaller.' }),
  }),
);
export interface StatefulSetPersistentVolumeClaimRetentionPolicy
  extends Infer<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const StatefulSetOrdinals = object('io.k8s.api.apps.v1.StatefulSetOrdinals', () => ({
  start: opt(1, int32, { pointer: false, doc: 'The number of the first pod.' }),
}));
export interface StatefulSetOrdinals extends Infer<typeof StatefulSetOrdinals> {}

/** Stateful sets: numbered pods, each with a name and claims that stay its own. */
export const statefulSets = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  schema: StatefulSet,
  shortNames: ['sts'],
  categories: ['all'],
  hasGeneration: true,
  // The pods' host names are made from it.
  nameRule: dnsLabel,
  setDefaults(set) {
    if (set.spec !== undefined) setStatefulSetDefaults(set.spec);
  },
  prepareForCreate(set) {
    set.status = { replicas: 0 };
  },
  validate: validateStatefulSet,
  update: {
    prepare(set, old) {
      set.status = old.status ?? { replicas: 0 };
    },
    validate: validateStatefulSetUpdate,
  },
  status: { prepare: keepSpec, validate: validateStatefulSetStatus },
  scale: {
    specReplicas: (set) => set.spec?.replicas ?? 1,
    setSpecReplicas(set, replicas) {
      // A stored set has a spec: validation asked for it.
      set.spec = { ...(set.spec as StatefulSetSpec), replicas };
    },
    statusReplicas: (set) => set.status?.replicas ?? 0,
    selector: (set) => selectorText(set.spec?.selector),
  },
  warnings: workloadWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Ready',
      type: 'string',
      description: 'Pods that are ready, of those asked for.',
      value: (set) => `${set.status?.readyReplicas ?? 0}/${set.spec?.replicas ?? 1}`,
    },
    AGE_COLUMN,
    ...CONTAINER_COLUMNS,
  ],
});

function setStatefulSetDefaults(spec: StatefulSetSpec): void {
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0;
    strategy.rollingUpdate.maxUnavailable ??= 1;
  }
  const retention = spec.persistentVolumeClaimRetentionPolicy;
  if (retention !== undefined) {
    retention.whenDeleted ||= 'Retain';
    retention.whenScaled ||= 'Retain';
  }
  if (spec.minReadySeconds === 0) delete spec.minReadySeconds;
  if (spec.template?.spec !== undefined) setPodSpecDefaults(spec.template.spec);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= 'v1';
    claim.kind ||= 'PersistentVolumeClaim';
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
    if (claim.spec !== undefined) setClaimSpecDefaults(claim.spec);
  }
}
