/**
 * The defaults of pods and pod templates. What is the zero value of a field counts as absent, as it does in
 * Kubernetes, whose encoding cannot tell them apart; such values are taken out, so that an object always has
 * one form.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
import { canonicalQuantity, parseQuantity } from '../../machinery/quantity.ts';
import type { Container, ContainerPort, EphemeralContainer, HTTPGetAction, Lifecycle, Probe } from './container.ts';
import { pullPolicyOf } from './imagePullPolicy.ts';
import type { Pod } from './pod.ts';
import { setPodLevelDefaults } from './podLevelResources.ts';
import type { PodSpec } from './podSpec.ts';
import { setVolumeDefaults } from './volumeDefaults.ts';

/** Defaults of a pod itself: those of any template, and those that only a real pod gets. */
export function setPodDefaults(pod: Pod): void {
  const spec = pod.spec;
  if (spec === undefined) return;
  setPodSpecDefaults(spec);
  for (const container of spec.containers ?? []) requestsFromLimits(container);
  for (const container of spec.initContainers ?? []) requestsFromLimits(container);
  setPodLevelDefaults(spec);
  // Less than nothing is read as one second; templates keep what they say.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork === true) {
    for (const container of spec.containers ?? []) hostPortsFromPorts(container.ports);
    for (const container of spec.initContainers ?? []) hostPortsFromPorts(container.ports);
  }
}

/** Defaults of a pod template's spec (deployments, replica sets …). */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.schedulerName ||= 'default-scheduler';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  if (!spec.hostNetwork) delete spec.hostNetwork;
  if (!spec.hostPID) delete spec.hostPID;
  if (!spec.hostIPC) delete spec.hostIPC;
  dropAlphaFields(spec);
  mirrorServiceAccount(spec);
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  for (const container of spec.initContainers ?? []) setContainerDefaults(container);
  for (const container of spec.containers ?? []) setContainerDefaults(container);
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container);
  if (spec.overhead !== undefined) roundToMilli(spec.overhead);
}

/** Fields of features that are not on in this version are taken out, rather than kept and not heeded. */
function dropAlphaFields(spec: PodSpec): void {
  delete spec.schedulingGroup;
  for (const containers of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
    for (const container of containers ?? []) delete container.lifecycle?.stopSignal;
  }
}

/** `serviceAccount` is the older name of `serviceAccountName`; both are shown. */
function mirrorServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (name) {
    if (name === spec.serviceAccountName && name === spec.serviceAccount) return;
    spec.serviceAccountName = name;
    spec.serviceAccount = name;
  } else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
}

function setContainerDefaults(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.resources ??= {};
  const { limits, requests } = container.resources;
  if (limits !== undefined) roundToMilli(limits);
  if (requests !== undefined) roundToMilli(requests);
  for (const port of container.ports ?? []) {
    port.protocol ||= 'TCP';
    if (port.hostPort === 0) delete port.hostPort;
  }
  for (const variable of container.env ?? []) {
    const from = variable.valueFrom;
    if (from === undefined) continue;
    if (from.fieldRef !== undefined) from.fieldRef.apiVersion ||= 'v1';
    if (from.resourceFieldRef !== undefined) from.resourceFieldRef.divisor ||= '0';
    if (from.fileKeyRef !== undefined) from.fileKeyRef.optional ??= false;
  }
  for (const mount of container.volumeMounts ?? []) if (mount.readOnly === false) delete mount.readOnly;
  if (container.livenessProbe !== undefined) setProbeDefaults(container.livenessProbe);
  if (container.readinessProbe !== undefined) setProbeDefaults(container.readinessProbe);
  if (container.startupProbe !== undefined) setProbeDefaults(container.startupProbe);
  if (container.lifecycle !== undefined) setLifecycleDefaults(container.lifecycle);
  if (container.stdin === false) delete container.stdin;
  if (container.stdinOnce === false) delete container.stdinOnce;
  if (container.tty === false) delete container.tty;
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.initialDelaySeconds === 0) delete probe.initialDelaySeconds;
  if (probe.httpGet !== undefined) setHttpGetDefaults(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function setLifecycleDefaults(lifecycle: Lifecycle): void {
  if (lifecycle.postStart?.httpGet !== undefined) setHttpGetDefaults(lifecycle.postStart.httpGet);
  if (lifecycle.preStop?.httpGet !== undefined) setHttpGetDefaults(lifecycle.preStop.httpGet);
}

function setHttpGetDefaults(get: HTTPGetAction): void {
  get.path ||= '/';
  get.scheme ||= 'HTTP';
}

function requestsFromLimits(container: Container): void {
  const resources = container.resources;
  if (resources?.limits === undefined) return;
  resources.requests ??= {};
  for (const name in resources.limits) {
    // The name comes from the limits themselves.
    resources.requests[name] ??= resources.limits[name] as string;
  }
}

function hostPortsFromPorts(ports: ContainerPort[] | undefined): void {
  for (const port of ports ?? []) port.hostPort ||= port.containerPort;
}

const NANO_PER_MILLI = 1_000_000n;

/** Amounts below a thousandth are rounded up to one. */
function roundToMilli(amounts: Record<string, string>): void {
  for (const name in amounts) {
    const text = amounts[name] as string;
    if (!text.endsWith('n') && !text.endsWith('u')) continue;
    const amount = parseQuantity(text);
    if (amount === undefined || amount.nano % NANO_PER_MILLI === 0n) continue;
    const milli = amount.nano / NANO_PER_MILLI + (amount.nano > 0n ? 1n : 0n);
    amounts[name] = canonicalQuantity(`${milli}m`);
  }
}
