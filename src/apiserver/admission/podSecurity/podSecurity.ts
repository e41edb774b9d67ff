/**
 * Pods, and what makes pods, by the standards that their namespace names in its labels.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
import { type Namespace, namespaces } from '../../../apis/core/namespace.ts';
import { type Pod, pods } from '../../../apis/core/pod.ts';
import type { PodTemplateSpec } from '../../../apis/core/podTemplate.ts';
import type { KubeObject } from '../../../machinery/kind.ts';
import { forbiddenRequest, invalidObject } from '../../../machinery/status.ts';
import type { Registry } from '../../registry/registry.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts';
import { violations } from './evaluate.ts';
import { isStricter, labelFaults, type Mode, type Standard, standardOf, standardText } from './level.ts';
import { type Judged, judged } from './pod.ts';

const AUDIT = 'pod-security.kubernetes.io/';
/** Of pods that are there already, so many are looked at when a namespace becomes stricter. */
const MOST_PODS = 3000;
/** Where the template of pods is, by resource. */
const TEMPLATES: Readonly<Record<string, (object: KubeObject) => PodTemplateSpec | undefined>> = {
  '/podtemplates': (object) => (object as { template?: PodTemplateSpec }).template,
  '/replicationcontrollers': inSpec,
  'apps/deployments': inSpec,
  'apps/replicasets': inSpec,
  'apps/statefulsets': inSpec,
  'apps/daemonsets': inSpec,
  'batch/jobs': inSpec,
  'batch/cronjobs': (object) =>
    (object as { spec?: { jobTemplate?: { spec?: { template?: PodTemplateSpec } } } }).spec?.jobTemplate?.spec
      ?.template,
};

function inSpec(object: KubeObject): PodTemplateSpec | undefined {
  return (object as { spec?: { template?: PodTemplateSpec } }).spec?.template;
}

export function podSecurity(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(namespaces);
  return {
    name: 'PodSecurity',
    resources: new Set(['/namespaces', '/pods', ...Object.keys(TEMPLATES)]),
    validate(request) {
      const { operation, object, kind } = request;
      if (object === undefined || (operation !== 'CREATE' && operation !== 'UPDATE')) return;
      if (kind.plural === 'namespaces') return validateNamespace(registry, request);
      const check = () => {
        const labels = cache.object(undefined, request.namespace ?? '')?.metadata.labels;
        // Most namespaces say nothing: no pod of theirs is looked at.
        if (labels !== undefined) validateOne(request, labels);
      };
      return cache.ready ? check() : cache.start().then(check);
    },
  };
}

function validateOne(request: AdmissionRequest, labels: Readonly<Record<string, string>>): void {
  const isPod = request.kind.plural === 'pods';
  const of = (mode: Mode): Standard => standardOf(labels, mode);
  const modes: Mode[] = isPod ? ['enforce', 'audit', 'warn'] : ['audit', 'warn'];
  if (modes.every((mode) => of(mode).level === 'privileged')) return;
  const pod = isPod ? podOf(request) : templateOf(request);
  if (pod === undefined) return;
  const audit = request.ctx?.audit;
  const enforced = isPod ? tell(pod, of('enforce')) : undefined;
  if (isPod) audit?.annotate(`${AUDIT}enforce-policy`, standardText(of('enforce')));
  if (enforced !== undefined) throw forbiddenRequest(request.kind, request.name, `violates ${enforced}`);
  const audited = tell(pod, of('audit'));
  if (audited !== undefined) audit?.annotate(`${AUDIT}audit-violations`, `would violate ${audited}`);
  const warned = tell(pod, of('warn'));
  if (warned !== undefined) request.ctx?.warn(`would violate ${warned}`);
}

/** `PodSecurity "restricted:latest": …`; undefined where nothing is wrong. */
function tell(pod: Judged, standard: Standard): string | undefined {
  const found = violations(pod, standard);
  return found.length === 0 ? undefined : `PodSecurity "${standardText(standard)}": ${found.join(', ')}`;
}

/** The pod of a request; undefined where the request changes nothing of what the standards are about. */
function podOf({ operation, subresource, object, oldObject }: AdmissionRequest): Judged | undefined {
  if (subresource !== '' && subresource !== 'ephemeralcontainers' && subresource !== 'resize') return undefined;
  const { metadata, spec } = object as Pod;
  const pod = judged(spec ?? { containers: [] }, metadata?.annotations);
  const before = (oldObject as Pod | undefined)?.spec;
  if (operation === 'UPDATE' && before !== undefined && imagesOf(pod) === imagesOf(judged(before))) return undefined;
  return pod;
}

/** What runs in a pod. Of the rest, nothing may change that the standards look at. */
const imagesOf = ({ containers }: Judged) => JSON.stringify(containers.map(({ name, image }) => [name, image]));

function templateOf({ kind, subresource, object }: AdmissionRequest): Judged | undefined {
  if (subresource !== '' || object === undefined) return undefined;
  const template = TEMPLATES[`${kind.group}/${kind.plural}`]?.(object);
  return template?.spec === undefined ? undefined : judged(template.spec, template.metadata?.annotations);
}

/** Labels that nobody understands are refused; whoever makes a namespace stricter is told which pods would not do. */
function validateNamespace(registry: Registry, request: AdmissionRequest): void | Promise<void> {
  const { operation, subresource, object, oldObject, name, ctx } = request;
  if (subresource !== '') return;
  const labels = (object as Namespace).metadata?.labels;
  const before = (oldObject as Namespace | undefined)?.metadata?.labels;
  const faults = labelFaults(labels);
  const faultsBefore = labelFaults(before).length;
  if (faults.length > 0 && (operation === 'CREATE' || faultsBefore === 0)) {
    throw invalidObject(namespaces, name, faults);
  }
  const standard = standardOf(labels, 'enforce');
  if (operation === 'CREATE' || ctx === undefined || !isStricter(standard, standardOf(before, 'enforce'))) return;
  const cache = registry.cache(pods);
  const warn = () => {
    const found = new Map<string, string[]>();
    for (const entry of cache.entries(name).slice(0, MOST_PODS)) {
      const { metadata, spec } = entry.object as Pod;
      const wrong = spec === undefined ? [] : violations(judged(spec, metadata?.annotations), standard);
      // What is wrong with them, without what it is called in each.
      const why = wrong.map((text) => text.replace(/ \(.*\)$/, '')).join(', ');
      if (why !== '') found.set(why, [...(found.get(why) ?? []), metadata?.name ?? '']);
    }
    if (found.size === 0) return;
    const level = standardText(standard);
    ctx.warn(`existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level "${level}"`);
    for (const [why, [first = '', ...more]] of found) {
      const others = more.length === 0 ? '' : ` (and ${more.length} other pod${more.length === 1 ? '' : 's'})`;
      ctx.warn(`${first}${others}: ${why}`);
    }
  };
  return cache.ready ? warn() : cache.start().then(warn);
}
