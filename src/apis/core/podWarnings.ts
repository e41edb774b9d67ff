/**
 * What the API server tells those who write a pod, or a template of pods: what is deprecated, what has no effect,
 * what hides something else. This is on the way of every pod that is made: paths are only put together for what
 * there is to say.
 */
import type { KubeObject } from '../../machinery/kind.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import type { NodeSelectorTerm, PodAffinityTerm } from './affinity.ts';
import type { Container, ContainerPort, EphemeralContainer } from './container.ts';
import type { Pod } from './pod.ts';
import type { PodSpec } from './podSpec.ts';
import type { PodTemplateSpec } from './podTemplate.ts';
import type { Volume } from './volumes.ts';

const OLD_LABELS: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
]);
const OLD_ANNOTATIONS: readonly (readonly [key: string, instead: string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
];
const OLD_VOLUMES: readonly (readonly [source: keyof Volume, what: string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];
const SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const NULL_SELECTOR = 'a null labelSelector results in matching no pod';
const NO_WINDOWS = 'has no effect: no node of this cluster runs Windows';
const MILLI_PER_NANO = 1_000_000n;

/** Collects what there is to say, each with where it is. */
type Say = (path: string, what: string) => void;

export function podWarnings(pod: Pod): string[] {
  return warningsOf(pod.metadata?.annotations, pod.spec, '');
}

/** @param path where the template is: `spec.template` */
export function templateWarnings(template: PodTemplateSpec | undefined, path: string): string[] {
  return warningsOf(template?.metadata?.annotations, template?.spec, `${path}.`);
}

/** Of a workload: only when it is new, or what it asks for has changed. */
export function workloadWarnings(object: Workload, old?: Workload): string[] {
  if (old !== undefined && old.metadata?.generation === object.metadata?.generation) return [];
  return templateWarnings(object.spec?.template, 'spec.template');
}

interface Workload extends KubeObject {
  spec?: { template?: PodTemplateSpec };
}

function warningsOf(
  annotations: Readonly<Record<string, string>> | undefined,
  spec: PodSpec | undefined,
  prefix: string,
): string[] {
  const warnings: string[] = [];
  const say: Say = (path, what) => warnings.push(`${prefix}${path}: ${what}`);
  if (annotations !== undefined) sayOfAnnotations(annotations, spec, say);
  if (spec === undefined) return warnings;
  sayOfPlacement(spec, say);
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [source, what] of OLD_VOLUMES) {
      if (volume[source] !== undefined) say(`spec.volumes[${i}].${source}`, what);
    }
  }
  sayOfRepeated(spec, say);
  if (spec.overhead !== undefined) sayOfFractions(spec.overhead, 'spec.overhead', say);
  if (spec.securityContext?.windowsOptions !== undefined) say('spec.securityContext.windowsOptions', NO_WINDOWS);
  sayOfContainers(spec, prefix, say);
  return warnings;
}

function sayOfAnnotations(annotations: Readonly<Record<string, string>>, spec: PodSpec | undefined, say: Say): void {
  for (const [key, instead] of OLD_ANNOTATIONS) {
    if (annotations[key] !== undefined) say(`metadata.annotations[${key}]`, instead);
  }
  if (annotations[SECCOMP] !== undefined && spec?.securityContext?.seccompProfile === undefined) {
    say(`metadata.annotations[${SECCOMP}]`, 'non-functional in v1.27+; use the "seccompProfile" field instead');
  }
}

/** Labels of nodes that have a newer name, and selectors that select nothing. */
function sayOfPlacement({ nodeSelector, affinity, topologySpreadConstraints }: PodSpec, say: Say): void {
  for (const key in nodeSelector) {
    const instead = OLD_LABELS.get(key);
    if (instead !== undefined) say(`spec.nodeSelector[${key}]`, instead);
  }
  const nodes = affinity?.nodeAffinity;
  if (nodes !== undefined) {
    const required = nodes.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
    const at = 'spec.affinity.nodeAffinity';
    for (const [i, term] of required.entries()) {
      sayOfTerm(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, say);
    }
    for (const [i, { preference }] of (nodes.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      if (preference === undefined) continue;
      sayOfTerm(preference, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, say);
    }
  }
  for (const name of ['podAffinity', 'podAntiAffinity'] as const) {
    const pods = affinity?.[name];
    for (const [i, term] of (pods?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      sayOfPods(term, `spec.affinity.${name}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, say);
    }
    for (const [i, { podAffinityTerm }] of (pods?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const at = `spec.affinity.${name}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`;
      if (podAffinityTerm !== undefined) sayOfPods(podAffinityTerm, at, say);
    }
  }
  for (const [i, { topologyKey, labelSelector }] of (topologySpreadConstraints ?? []).entries()) {
    const at = `spec.topologySpreadConstraints[${i}]`;
    const instead = OLD_LABELS.get(topologyKey);
    if (instead !== undefined) say(`${at}.topologyKey`, `${topologyKey} is ${instead}`);
    if (labelSelector === undefined) say(`${at}.labelSelector`, NULL_SELECTOR);
  }
}

function sayOfTerm(term: NodeSelectorTerm, path: string, say: Say): void {
  for (const [i, { key }] of (term.matchExpressions ?? []).entries()) {
    const instead = OLD_LABELS.get(key);
    if (instead !== undefined) say(`${path}.matchExpressions[${i}].key`, `${key} is ${instead}`);
  }
}

function sayOfPods(term: PodAffinityTerm, path: string, say: Say): void {
  if (term.labelSelector === undefined) say(`${path}.labelSelector`, NULL_SELECTOR);
}

function sayOfRepeated({ hostAliases = [], imagePullSecrets = [] }: PodSpec, say: Say): void {
  const seen = new Set<string>();
  for (const [i, { ip }] of hostAliases.entries()) {
    if (seen.has(ip)) say(`spec.hostAliases[${i}].ip`, `duplicate ip ${JSON.stringify(ip)}`);
    seen.add(ip);
  }
  seen.clear();
  for (const [i, { name = '' }] of imagePullSecrets.entries()) {
    const at = `spec.imagePullSecrets[${i}].name`;
    if (seen.has(name)) say(at, `duplicate name ${JSON.stringify(name)}`);
    if (name === '') say(at, 'invalid empty name ""');
    seen.add(name);
  }
}

function sayOfContainers(spec: PodSpec, prefix: string, say: Say): void {
  const ports = new Map<string, { readonly at: string; readonly port: ContainerPort }[]>();
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      const { resources, env, securityContext } = container;
      if (securityContext?.windowsOptions !== undefined) {
        say(`spec.${list}[${i}].securityContext.windowsOptions`, NO_WINDOWS);
      }
      if (resources?.limits !== undefined) {
        sayOfFractions(resources.limits, `spec.${list}[${i}].resources.limits`, say);
      }
      if (resources?.requests !== undefined) {
        sayOfFractions(resources.requests, `spec.${list}[${i}].resources.requests`, say);
      }
      if (env !== undefined && env.length > 1) sayOfHidden(env, `spec.${list}[${i}].env`, say);
      if (container.ports !== undefined)
        sayOfPorts(container, `spec.${list}[${i}].ports`, ports, (at, what, other) => {
          say(at, `${what}${other === undefined ? '' : ` with ${prefix}${other}`}`);
        });
    }
  }
}

/** There is no part of a byte. */
function sayOfFractions(amounts: Readonly<Record<string, string>>, path: string, say: Say): void {
  for (const name of ['memory', 'ephemeral-storage']) {
    const amount = amounts[name];
    // Only these can be parts of a byte, and hardly anything ends so.
    if (amount === undefined || !/[.mnu]/.test(amount)) continue;
    const parsed = parseQuantity(amount);
    if (parsed === undefined || (parsed.nano / MILLI_PER_NANO) % 1000n === 0n) continue;
    say(`${path}[${name}]`, `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
  }
}

/** A variable that is there twice, and whose second value does not build on the first. */
function sayOfHidden(env: NonNullable<Container['env']>, path: string, say: Say): void {
  const seen = new Set<string>();
  for (const [i, { name, value, valueFrom }] of env.entries()) {
    if (!seen.has(name)) {
      seen.add(name);
      continue;
    }
    const reference = `$(${name})`;
    if (valueFrom !== undefined || value === reference || !(value ?? '').includes(reference)) {
      say(
        `${path}[${i}]`,
        `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    }
  }
}

function sayOfPorts(
  { ports = [] }: Container | EphemeralContainer,
  path: string,
  seen: Map<string, { readonly at: string; readonly port: ContainerPort }[]>,
  say: (at: string, what: string, other?: string) => void,
): void {
  for (const [i, port] of ports.entries()) {
    const at = `${path}[${i}]`;
    if (port.hostIP && !port.hostPort) say(at, `hostIP set without hostPort: ${JSON.stringify(port)}`);
    const id = `${port.containerPort}/${port.protocol}`;
    const others = seen.get(id);
    if (others === undefined) {
      seen.set(id, [{ at, port }]);
      continue;
    }
    for (const other of others) {
      const sameAddress = (port.hostIP ?? '') === (other.port.hostIP ?? '');
      if (sameAddress && (port.hostPort ?? 0) === (other.port.hostPort ?? 0)) {
        say(at, 'duplicate port definition', other.at);
      } else if (!port.hostPort || !other.port.hostPort) say(at, 'overlapping port definition', other.at);
      else if (port.hostPort === other.port.hostPort && (!port.hostIP || !other.port.hostIP)) {
        say(at, 'dangerously ambiguous port definition', other.at);
      }
    }
    others.push({ at, port });
  }
}
