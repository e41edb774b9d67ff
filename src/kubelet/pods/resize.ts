/**
 * Resources that change while a pod runs: what the node grants, and what is to be done for it. Pure.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
import type { Container, ResourceRequirements } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { isSidecar } from '../../apis/core/podResources.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import type { Failure } from '../status/podStatus.ts';

const RESIZABLE = ['cpu', 'memory'] as const;
type Resizable = (typeof RESIZABLE)[number];

/** Why a wish is not granted, now (Deferred) or ever (Infeasible). */
export interface PendingResize {
  readonly reason: 'Deferred' | 'Infeasible';
  readonly message: string;
}

export interface Granted {
  /** the pod with the resources that it has on this node */
  readonly pod: Pod;
  readonly pending: PendingResize | undefined;
}

/**
 * @param granted what the pod had until now; undefined: it is new, and was admitted as it is
 * @param room why the node never has room for a pod, or has none beside others
 */
export function grant(
  pod: Pod,
  granted: Pod | undefined,
  room: { infeasibility(pod: Pod): string | undefined; shortage(pod: Pod): Failure | undefined },
): Granted {
  if (granted === undefined || sameResources(pod, granted)) return { pod, pending: undefined };
  const kept = withResourcesOf(pod, granted);
  const never = room.infeasibility(pod);
  if (never !== undefined) return { pod: kept, pending: { reason: 'Infeasible', message: never } };
  const now = room.shortage(pod);
  if (now !== undefined) return { pod: kept, pending: { reason: 'Deferred', message: now.message } };
  return { pod, pending: undefined };
}

/** The newest state of a pod with the resources that were granted to it before. */
export function stillGranted(pod: Pod, granted: Pod | undefined): Pod | undefined {
  if (granted === undefined) return undefined;
  return sameResources(pod, granted) ? pod : withResourcesOf(pod, granted);
}

/** A pod that ran here before this kubelet: it has what its status says. */
export function grantedBefore(pod: Pod): Pod {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const told = new Map([...containerStatuses, ...initContainerStatuses].map((s) => [s.name, s.resources]));
  const before = mapContainers(pod, (container) => {
    const resources = told.get(container.name);
    return resources === undefined ? container : { ...container, resources: { ...container.resources, ...resources } };
  });
  const { spec } = before;
  const whole = pod.status?.resources;
  // What a pod that costs nothing besides has is what it was granted.
  if (spec?.resources === undefined || whole === undefined || spec.overhead !== undefined) return before;
  return { ...before, spec: { ...spec, resources: { ...spec.resources, ...onlyOf(whole, spec.resources) } } };
}

/** What the pod as a whole says something about. */
function onlyOf(has: ResourceRequirements, says: ResourceRequirements): ResourceRequirements {
  const pick = (which: 'limits' | 'requests') => {
    const names = Object.keys(says[which] ?? {});
    const found = Object.entries(has[which] ?? {}).filter(([name]) => names.includes(name));
    return found.length === 0 ? {} : { [which]: Object.fromEntries(found) };
  };
  return { ...pick('limits'), ...pick('requests') };
}

/** The resources that a running container is to have, as text: they are the same where the texts are. */
export function resourcesKey({ resources }: Container): string {
  const of = (which: 'limits' | 'requests') => RESIZABLE.map((name) => `${resources?.[which]?.[name] ?? ''}`).join(' ');
  return `${of('requests')}/${of('limits')}`;
}

/** What the pod as a whole is to have, as text. */
export function wholeKey({ spec }: Pod): string {
  return resourcesKey({ name: '', ...(spec?.resources === undefined ? {} : { resources: spec.resources }) });
}

/** The bytes that a limit falls to; undefined where it does not fall. @param applied the key of what there was before */
export function lowerMemory(wished: string, applied: string | undefined): number | undefined {
  const limitOf = (key = '') => {
    const limit = key.split('/')[1]?.split(' ')[RESIZABLE.indexOf('memory')] ?? '';
    return limit === '' ? Number.POSITIVE_INFINITY : wholeValue(limit);
  };
  const limit = limitOf(wished);
  return limit < limitOf(applied) ? limit : undefined;
}

/** What a container has: of cpu and memory what the key says, of the rest what it was granted. */
export function resourcesWith({ resources = {} }: Container, key: string): ResourceRequirements {
  const [requests, limits] = key.split('/').map((part) => part.split(' '));
  const has = (granted: Readonly<Record<string, string>> | undefined, amounts: readonly string[] = []) => {
    const all: Record<string, string> = { ...granted };
    for (const [i, name] of RESIZABLE.entries()) {
      const amount = amounts[i] ?? '';
      if (amount === '') delete all[name];
      else all[name] = amount;
    }
    return granted === undefined && Object.keys(all).length === 0 ? undefined : all;
  };
  const [asked, most] = [has(resources.requests, requests), has(resources.limits, limits)];
  return { ...(most === undefined ? {} : { limits: most }), ...(asked === undefined ? {} : { requests: asked }) };
}

/** @param applied the key of what it has */
export function resizeOf(container: Container, applied: string | undefined): 'none' | 'update' | 'restart' {
  const wanted = resourcesKey(container);
  if (applied === undefined || applied === wanted) return 'none';
  const changed = RESIZABLE.filter((name) => amountIn(wanted, name) !== amountIn(applied, name));
  const restarts = changed.some(
    (name) => container.resizePolicy?.find((p) => p.resourceName === name)?.restartPolicy === 'RestartContainer',
  );
  return restarts ? 'restart' : 'update';
}

/** What events say of a resize: which resources are wished for, in which state of the pod. */
export function resizeText({ metadata, spec }: Pod, error?: string): string {
  const about = (containers: readonly Container[] | undefined) => {
    const named = (containers ?? []).map(({ name, resources = {} }) => ({ name, resources }));
    return named.length === 0 ? undefined : named;
  };
  // Init containers that ran to their end keep what they had.
  const sidecars = spec?.initContainers?.filter(isSidecar);
  const { generation } = metadata ?? {};
  return JSON.stringify({ initContainers: about(sidecars), containers: about(spec?.containers), generation, error });
}

function amountIn(key: string, name: Resizable): string {
  return key
    .split('/')
    .map((part) => part.split(' ')[RESIZABLE.indexOf(name)])
    .join('/');
}

/** Whether both, and their containers, are to have the same. */
export function sameResources(a: Pod, b: Pod): boolean {
  const keys = ({ spec }: Pod) => [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(resourcesKey);
  return wholeKey(a) === wholeKey(b) && keys(a).join('\n') === keys(b).join('\n');
}

function withResourcesOf(pod: Pod, granted: Pod): Pod {
  const known = new Map<string, ResourceRequirements | undefined>(
    [...(granted.spec?.containers ?? []), ...(granted.spec?.initContainers ?? [])].map((c) => [c.name, c.resources]),
  );
  const own = mapContainers(pod, (container) => {
    const { resources: _wished, ...rest } = container;
    const resources = known.get(container.name);
    return resources === undefined ? rest : { ...rest, resources };
  });
  const { spec } = own;
  if (spec === undefined || wholeKey(own) === wholeKey(granted)) return own;
  const { resources: _wished, ...rest } = spec;
  const whole = granted.spec?.resources;
  return { ...own, spec: whole === undefined ? rest : { ...rest, resources: whole } };
}

function mapContainers(pod: Pod, change: (container: Container) => Container): Pod {
  const { spec } = pod;
  if (spec === undefined) return pod;
  const { initContainers } = spec;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(change),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(change) }),
    },
  };
}
