import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, intOrString, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const NetworkPolicy = object('io.k8s.api.networking.v1.NetworkPolicy', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, NetworkPolicySpec),
}));
export interface NetworkPolicy extends Infer<typeof NetworkPolicy> {}

export const NetworkPolicySpec = object('io.k8s.api.networking.v1.NetworkPolicySpec', () => ({
  podSelector: opt(1, LabelSelector),
  ingress: opt(2, list(NetworkPolicyIngressRule)),
  egress: opt(3, list(NetworkPolicyEgressRule)),
  policyTypes: opt(4, list(str)),
}));
export interface NetworkPolicySpec extends Infer<typeof NetworkPolicySpec> {}

export const NetworkPolicyIngressRule = object('io.k8s.api.networking.v1.NetworkPolicyIngressRule', () => ({
  ports: opt(1, list(NetworkPolicyPort)),
  from: opt(2, list(NetworkPolicyPeer)),
}));
export interface NetworkPolicyIngressRule extends Infer<typeof NetworkPolicyIngressRule> {}

export const NetworkPolicyEgressRule = object('io.k8s.api.networking.v1.NetworkPolicyEgressRule', () => ({
  ports: opt(1, list(NetworkPolicyPort)),
  to: opt(2, list(NetworkPolicyPeer)),
}));
export interface NetworkPolicyEgressRule extends Infer<typeof NetworkPolicyEgressRule> {}

export const NetworkPolicyPeer = object('io.k8s.api.networking.v1.NetworkPolicyPeer', () => ({
  podSelector: opt(1, LabelSelector),
  namespaceSelector: opt(2, LabelSelector),
  ipBlock: opt(3, IPBlock),
}));
export interface NetworkPolicyPeer extends Infer<typeof NetworkPolicyPeer> {}

export const IPBlock = object('io.k8s.api.networking.v1.IPBlock', () => ({
  cidr: req(1, str),
  except: opt(2, list(str)),
}));
export interface IPBlock extends Infer<typeof IPBlock> {}

export const NetworkPolicyPort = object('io.k8s.api.networking.v1.NetworkPolicyPort', () => ({
  protocol: opt(1, str),
  port: opt(2, intOrString),
  endPort: opt(3, int32),
}));
export interface NetworkPolicyPort extends Infer<typeof NetworkPolicyPort> {}
