import { LabelSelector } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const TopologySpreadConstraint = object('io.k8s.api.core.v1.TopologySpreadConstraint', () => ({
  maxSkew: req(1, int32),
  topologyKey: req(2, str),
  whenUnsatisfiable: req(3, str),
  labelSelector: opt(4, LabelSelector),
  minDomains: opt(5, int32),
  nodeAffinityPolicy: opt(6, str, { pointer: true }),
  nodeTaintsPolicy: opt(7, str, { pointer: true }),
  matchLabelKeys: opt(8, list(str)),
}));
export interface TopologySpreadConstraint extends Infer<typeof TopologySpreadConstraint> {}

export const Toleration = object('io.k8s.api.core.v1.Toleration', () => ({
  key: opt(1, str),
  operator: opt(2, str),
  value: opt(3, str),
  effect: opt(4, str),
  tolerationSeconds: opt(5, int64),
}));
export interface Toleration extends Infer<typeof Toleration> {}

export const Affinity = object('io.k8s.api.core.v1.Affinity', () => ({
  nodeAffinity: opt(1, NodeAffinity),
  podAffinity: opt(2, PodAffinity),
  podAntiAffinity: opt(3, PodAntiAffinity),
}));
export interface Affinity extends Infer<typeof Affinity> {}

export const PodAntiAffinity = object('io.k8s.api.core.v1.PodAntiAffinity', () => ({
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, list(PodAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: opt(2, list(WeightedPodAffinityTerm)),
}));
export interface PodAntiAffinity extends Infer<typeof PodAntiAffinity> {}

export const PodAffinity = object('io.k8s.api.core.v1.PodAffinity', () => ({
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, list(PodAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: opt(2, list(WeightedPodAffinityTerm)),
}));
export interface PodAffinity extends Infer<typeof PodAffinity> {}

export const WeightedPodAffinityTerm = object('io.k8s.api.core.v1.WeightedPodAffinityTerm', () => ({
  weight: req(1, int32),
  podAffinityTerm: req(2, PodAffinityTerm),
}));
export interface WeightedPodAffinityTerm extends Infer<typeof WeightedPodAffinityTerm> {}

export const PodAffinityTerm = object('io.k8s.api.core.v1.PodAffinityTerm', () => ({
  labelSelector: opt(1, LabelSelector),
  namespaces: opt(2, list(str)),
  topologyKey: req(3, str),
  namespaceSelector: opt(4, LabelSelector),
  matchLabelKeys: opt(5, list(str)),
  mismatchLabelKeys: opt(6, list(str)),
}));
export interface PodAffinityTerm extends Infer<typeof PodAffinityTerm> {}

export const NodeAffinity = object('io.k8s.api.core.v1.NodeAffinity', () => ({
  requiredDuringSchedulingIgnoredDuringExecution: opt(1, NodeSelector),
  preferredDuringSchedulingIgnoredDuringExecution: opt(2, list(PreferredSchedulingTerm)),
}));
export interface NodeAffinity extends Infer<typeof NodeAffinity> {}

export const NodeSelector = object(
  'io.k8s.api.core.v1.NodeSelector',
  () => ({
    nodeSelectorTerms: req(1, list(NodeSelectorTerm)),
  }),
  { atomic: true },
);
export interface NodeSelector extends Infer<typeof NodeSelector> {}

export const PreferredSchedulingTerm = object('io.k8s.api.core.v1.PreferredSchedulingTerm', () => ({
  weight: req(1, int32),
  preference: req(2, NodeSelectorTerm),
}));
export interface PreferredSchedulingTerm extends Infer<typeof PreferredSchedulingTerm> {}

export const NodeSelectorTerm = object(
  'io.k8s.api.core.v1.NodeSelectorTerm',
  () => ({
    matchExpressions: opt(1, list(NodeSelectorRequirement)),
    matchFields: opt(2, list(NodeSelectorRequirement)),
  }),
  { atomic: true },
);
export interface NodeSelectorTerm extends Infer<typeof NodeSelectorTerm> {}

export const NodeSelectorRequirement = object('io.k8s.api.core.v1.NodeSelectorRequirement', () => ({
  key: req(1, str),
  operator: req(2, str),
  values: opt(3, list(str)),
}));
export interface NodeSelectorRequirement extends Infer<typeof NodeSelectorRequirement> {}
