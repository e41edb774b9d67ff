/**
 * What is wrong with a network policy.
 * Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { portName, portNumber } from '../../machinery/names.ts';
import { type Cidr, contains, formatCidr, parseCidr } from './cidr.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './networkPolicy.ts';

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'];
const POLICY_TYPES = ['Egress', 'Ingress'];

/** @param known ranges that the policy had before: they stay, however they are written */
export function validateNetworkPolicy(policy: NetworkPolicy, known: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const spec = policy.spec ?? {};
  if (spec.podSelector !== undefined) errors.push(...validateLabelSelector(spec.podSelector, 'spec.podSelector'));
  for (const [i, rule] of (spec.ingress ?? []).entries()) {
    validateRule(rule.ports ?? [], rule.from ?? [], 'from', `spec.ingress[${i}]`, known, errors);
  }
  for (const [i, rule] of (spec.egress ?? []).entries()) {
    validateRule(rule.ports ?? [], rule.to ?? [], 'to', `spec.egress[${i}]`, known, errors);
  }
  const types = spec.policyTypes ?? [];
  if (types.length > POLICY_TYPES.length) {
    errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
    return errors;
  }
  for (const [i, type] of types.entries()) {
    if (!POLICY_TYPES.includes(type)) errors.push(notSupported(`spec.policyTypes[${i}]`, type, POLICY_TYPES));
  }
  return errors;
}

export function validateNetworkPolicyUpdate(policy: NetworkPolicy, old: NetworkPolicy): FieldError[] {
  const known = new Set<string>();
  const peers = [
    ...(old.spec?.ingress ?? []).flatMap((rule) => rule.from ?? []),
    ...(old.spec?.egress ?? []).flatMap((rule) => rule.to ?? []),
  ];
  for (const { ipBlock } of peers) {
    if (ipBlock === undefined) continue;
    for (const range of [ipBlock.cidr ?? '', ...(ipBlock.except ?? [])]) known.add(range);
  }
  return validateNetworkPolicy(policy, known);
}

function validateRule(
  ports: readonly NetworkPolicyPort[],
  peers: readonly NetworkPolicyPeer[],
  field: 'from' | 'to',
  path: string,
  known: ReadonlySet<string>,
  errors: FieldError[],
): void {
  for (const [i, port] of ports.entries()) validatePort(port, `${path}.ports[${i}]`, errors);
  for (const [i, peer] of peers.entries()) validatePeer(peer, `${path}.${field}[${i}]`, known, errors);
}

function validatePort(port: NetworkPolicyPort, path: string, errors: FieldError[]): void {
  const { protocol, port: from, endPort: to } = port;
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  }
  if (typeof from === 'number') {
    for (const fault of portNumber(from)) errors.push(invalid(`${path}.port`, from, fault));
    if (to === undefined) return;
    if (to < from) errors.push(invalid(`${path}.endPort`, to, 'must be greater than or equal to `port`'));
    for (const fault of portNumber(to)) errors.push(invalid(`${path}.endPort`, to, fault));
    return;
  }
  if (to !== undefined) {
    const why = from === undefined ? 'not specified' : 'non-numeric';
    errors.push(invalid(`${path}.endPort`, to, `may not be specified when \`port\` is ${why}`));
  }
  if (from !== undefined) for (const fault of portName(from)) errors.push(invalid(`${path}.port`, from, fault));
}

function validatePeer(peer: NetworkPolicyPeer, path: string, known: ReadonlySet<string>, errors: FieldError[]): void {
  let peers = 0;
  for (const field of ['podSelector', 'namespaceSelector'] as const) {
    const selector = peer[field];
    if (selector === undefined) continue;
    peers++;
    errors.push(...validateLabelSelector(selector, `${path}.${field}`));
  }
  if (peer.ipBlock !== undefined) {
    validateBlock(peer.ipBlock, `${path}.ipBlock`, known, errors);
    if (peers > 0) errors.push(forbidden(path, 'may not specify both ipBlock and another peer'));
  } else if (peers === 0) errors.push(required(path, 'must specify a peer'));
}

function validateBlock(block: IPBlock, path: string, known: ReadonlySet<string>, errors: FieldError[]): void {
  if (!block.cidr) {
    errors.push(required(`${path}.cidr`));
    return;
  }
  const outer = validateCidr(block.cidr, `${path}.cidr`, known, errors);
  if (outer === undefined) return;
  for (const [i, text] of (block.except ?? []).entries()) {
    const inner = validateCidr(text, `${path}.except[${i}]`, known, errors);
    if (inner !== undefined && (!contains(outer, inner) || inner.length <= outer.length)) {
      errors.push(invalid(`${path}.except[${i}]`, text, 'must be a strict subset of `cidr`'));
    }
  }
}

/** A range in its canonical form, or one that was there before. */
function validateCidr(text: string, path: string, known: ReadonlySet<string>, errors: FieldError[]): Cidr | undefined {
  const cidr = parseCidr(text);
  if (known.has(text)) return cidr;
  if (cidr === undefined) {
    errors.push(invalid(path, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'));
  } else if (cidr.loose) {
    const detail = `must not have bits set beyond the prefix length (${JSON.stringify(formatCidr(cidr))})`;
    errors.push(invalid(path, text, detail));
  }
  return cidr;
}
