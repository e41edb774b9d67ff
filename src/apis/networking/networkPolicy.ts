import { defineKind } from '../../machinery/kind.ts';
import { formatSelector, selectorFrom } from '../../machinery/labelSelector.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, intOrString, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateNetworkPolicy, validateNetworkPolicyUpdate } from './networkPolicyValidation.ts';

export const NetworkPolicy = object('io.k8s.api.networking.v1.NetworkPolicy', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, NetworkPolicySpec),
}));
export interface NetworkPolicy extends Infer<typeof NetworkPolicy> {}

export const NetworkPolicySpec = object('io.k8s.api.networking.v1.NetworkPolicySpec', () => ({
  podSelector: opt(1, LabelSelector, {
    pointer: false,
    doc: 'The pods that the policy is for; all of the namespace if empty.',
  }),
  ingress: opt(2, list(NetworkPolicyIngressRule), { doc: 'What may reach the pods.' }),
  egress: opt(3, list(NetworkPolicyEgressRule), { doc: 'What the pods may reach.' }),
  policyTypes: opt(4, list(str), {
    doc: 'Whether it rules Ingress, Egress or both; Ingress, and Egress where there are rules for it, if absent.',
  }),
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
  cidr: req(1, str, { doc: 'A range of addresses.' }),
  except: opt(2, list(str), { doc: 'Ranges within it that do not count.' }),
}));
export interface IPBlock extends Infer<typeof IPBlock> {}

export const NetworkPolicyPort = object('io.k8s.api.networking.v1.NetworkPolicyPort', () => ({
  protocol: opt(1, str, { pointer: true, doc: 'TCP (default), UDP or SCTP.' }),
  port: opt(2, intOrString, { doc: 'A number or a name; all ports if absent.' }),
  endPort: opt(3, int32, { doc: 'The last of a range of ports that begins with port.' }),
}));
export interface NetworkPolicyPort extends Infer<typeof NetworkPolicyPort> {}

/** Network policies: who may talk to which pods. */
export const networkPolicies = defineKind<NetworkPolicy>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  schema: NetworkPolicy,
  shortNames: ['netpol'],
  hasGeneration: true,
  setDefaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    // No selector is as one that selects every pod.
    spec.podSelector ??= {};
    if ((spec.policyTypes ?? []).length === 0) {
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    }
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    }
  },
  validate: (policy) => validateNetworkPolicy(policy, new Set()),
  update: { validate: validateNetworkPolicyUpdate },
  columns: [
    NAME_COLUMN,
    {
      name: 'Pod-Selector',
      type: 'string',
      description: 'The pods that it is for.',
      value: (policy) => formatSelector(selectorFrom(policy.spec?.podSelector) ?? []) || '<none>',
    },
    AGE_COLUMN,
  ],
});
