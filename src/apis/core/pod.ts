import { type FieldError, forbidden } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { setPodDefaults } from './podDefaults.ts';
import { podReady, podRestarts, podStatusText } from './podPrinting.ts';
import { keepAllButResources, validatePodResize } from './podResize.ts';
import { keepAllButEphemeralContainers, keepPodStatus, preparePod, preparePodStatus } from './podRules.ts';
import { PodSpec } from './podSpec.ts';
import { PodStatus } from './podStatus.ts';
import { podWarnings } from './podWarnings.ts';
import { validatePodAnnotations } from './validation/podAnnotations.ts';
import { validatePodSpec } from './validation/podSpec.ts';
import { validatePodStatusUpdate } from './validation/podStatus.ts';
import { validateEphemeralContainersUpdate, validatePodUpdate } from './validation/podUpdate.ts';

export const Pod = object('io.k8s.api.core.v1.Pod', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PodSpec),
  status: opt(3, PodStatus),
}));
export interface Pod extends Infer<typeof Pod> {}

const FINISHED: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

/** Pods: containers that run together on one node. */
export const pods = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  schema: Pod,
  returnsDeleted: true,
  hasGeneration: true,
  subresources: {
    attach: { kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    binding: { kind: 'Binding', verbs: ['create'] },
    ephemeralcontainers: {
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      rules: { prepare: keepAllButEphemeralContainers, validate: validateEphemeralContainersUpdate },
    },
    eviction: { kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    exec: { kind: 'PodExecOptions', verbs: ['create', 'get'] },
    log: { kind: 'Pod', verbs: ['get'] },
    portforward: { kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    proxy: { kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    resize: {
      kind: 'Pod',
      verbs: ['get', 'patch', 'update'],
      rules: { prepare: keepAllButResources, validate: validatePodResize },
    },
  },
  setDefaults: setPodDefaults,
  prepareForCreate: preparePod,
  validate(pod) {
    const errors: FieldError[] = [];
    const spec = pod.spec ?? { containers: [] };
    validatePodAnnotations(pod, errors);
    validatePodSpec(spec, 'spec', errors);
    validateTokens(spec, errors);
    if ((spec.ephemeralContainers ?? []).length > 0) {
      errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
    }
    return errors;
  },
  update: { prepare: keepPodStatus, validate: validatePodUpdate },
  status: { prepare: preparePodStatus, validate: validatePodStatusUpdate },
  gracePeriodSeconds(pod, asked) {
    // Nothing runs yet, or no more: there is nothing to wait for.
    if (!pod.spec?.nodeName || FINISHED.has(pod.status?.phase ?? '')) return 0;
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
  warnings: podWarnings,
  columns: [
    NAME_COLUMN,
    {
      name: 'Ready',
      type: 'string',
      description: 'Containers that are ready, of those that the pod has.',
      value: podReady,
    },
    { name: 'Status', type: 'string', description: 'What the pod is doing, or why it is not.', value: podStatusText },
    {
      name: 'Restarts',
      type: 'string',
      description: 'How often its containers were restarted, and when last.',
      value: podRestarts,
    },
    AGE_COLUMN,
    {
      name: 'IP',
      type: 'string',
      description: "The pod's address.",
      priority: 1,
      value: (pod) => pod.status?.podIP || '<none>',
    },
    {
      name: 'Node',
      type: 'string',
      description: 'The node that it is bound to.',
      priority: 1,
      value: (pod) => pod.spec?.nodeName || '<none>',
    },
    {
      name: 'Nominated Node',
      type: 'string',
      description: 'The node on which room is being made for it.',
      priority: 1,
      value: (pod) => pod.status?.nominatedNodeName || '<none>',
    },
    {
      name: 'Readiness Gates',
      type: 'string',
      description: 'Conditions besides its containers that make it ready: those that hold, of all.',
      priority: 1,
      value(pod) {
        const gates = pod.spec?.readinessGates ?? [];
        if (gates.length === 0) return '<none>';
        const holding = gates.filter((g) =>
          pod.status?.conditions?.some((c) => c.type === g.conditionType && c.status === 'True'),
        );
        return `${holding.length}/${gates.length}`;
      },
    },
  ],
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIP ?? '',
    'status.podIPs': (pod) => (pod.status?.podIPs ?? []).map((p) => p.ip).join(','),
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
});

/** A token speaks for a service account, so there has to be one. Templates may leave it to the pods' admission. */
function validateTokens(spec: PodSpec, errors: FieldError[]): void {
  if (spec.serviceAccountName) return;
  for (const [i, { projected }] of (spec.volumes ?? []).entries()) {
    for (const [j, { serviceAccountToken }] of (projected?.sources ?? []).entries()) {
      if (serviceAccountToken === undefined) continue;
      const path = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`;
      errors.push(forbidden(path, 'must not be specified when serviceAccountName is not set'));
    }
  }
}
