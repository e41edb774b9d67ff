/** The pods of a job, and what their ends mean. */
import { type Job, jobs } from '../../apis/batch/job.ts';
import type { Container, EnvVar } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Random } from '../../lib/random.ts';
import { generateName } from '../../machinery/generateName.ts';
import type { Stored } from '../../machinery/kind.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { parseTime } from '../../machinery/time.ts';

/** Holds a pod that ended until the job has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';
export const INDEX_ANNOTATION = 'batch.kubernetes.io/job-completion-index';
/** how often this index failed before this pod */
export const FAILURE_COUNT_ANNOTATION = 'batch.kubernetes.io/job-index-failure-count';
const IGNORED_FAILURE_COUNT_ANNOTATION = 'batch.kubernetes.io/job-index-ignored-failure-count';
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';
const LONGEST_HOSTNAME = 63;

export const isIndexed = (job: Job) => job.spec?.completionMode === 'Indexed';

export const isTracked = (pod: Pod) => (pod.metadata?.finalizers ?? []).includes(TRACKING_FINALIZER);

/** The index of an Indexed job's pod; undefined where it has none. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata?.annotations?.[INDEX_ANNOTATION] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

export interface NewPod {
  readonly index?: number;
  /** of that index before, where the job limits them by index */
  readonly failures?: { readonly counted: number; readonly ignored: number };
}

export function podOf(job: Stored<Job>, { index, failures }: NewPod, random: Random): Pod {
  const { metadata, spec = { containers: [] } } = job.spec?.template ?? {};
  const base = job.metadata.name + (index === undefined ? '' : `-${index}`);
  const annotations = {
    ...metadata?.annotations,
    ...(index === undefined ? {} : { [INDEX_ANNOTATION]: String(index) }),
    ...(failures === undefined
      ? {}
      : {
          [FAILURE_COUNT_ANNOTATION]: String(failures.counted),
          [IGNORED_FAILURE_COUNT_ANNOTATION]: String(failures.ignored),
        }),
  };
  return {
    metadata: {
      name: generateName(`${base}-`, random),
      generateName: `${base}-`,
      namespace: job.metadata.namespace ?? '',
      labels: { ...metadata?.labels, ...(index === undefined ? {} : { [INDEX_ANNOTATION]: String(index) }) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      finalizers: [...(metadata?.finalizers ?? []), TRACKING_FINALIZER],
      ownerReferences: [controllerReference(job, jobs)],
    },
    spec: index === undefined ? spec : indexed(job, spec, index),
  };
}

/** Tells the containers their index, and gives the pod a host name that stays. */
function indexed(job: Stored<Job>, spec: NonNullable<Pod['spec']>, index: number): NonNullable<Pod['spec']> {
  const variable: EnvVar = {
    name: INDEX_VARIABLE,
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX_ANNOTATION}']` } },
  };
  const told = (container: Container): Container =>
    (container.env ?? []).some((e) => e.name === INDEX_VARIABLE)
      ? container
      : { ...container, env: [...(container.env ?? []), variable] };
  return {
    ...spec,
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(told) }),
    containers: spec.containers.map(told),
    hostname: `${job.metadata.name}-${index}`.slice(0, LONGEST_HOSTNAME).replace(/[-.]+$/, ''),
  };
}

/** How often pods of this index had failed when this one was made, and what was ignored of that. */
export function failuresBefore(pod: Pod): { counted: number; ignored: number } {
  const read = (name: string) => Number(pod.metadata?.annotations?.[name] ?? 0) || 0;
  return { counted: read(FAILURE_COUNT_ANNOTATION), ignored: read(IGNORED_FAILURE_COUNT_ANNOTATION) };
}

/** When the last container of a pod ended, in ms since the epoch; where that is not told, when the pod was deleted or made. */
export function finishedAt(pod: Pod): number {
  const { containerStatuses = [], conditions = [] } = pod.status ?? {};
  const ends = containerStatuses.map((s) => parseTime(s.state?.terminated?.finishedAt) ?? 0);
  const last = Math.max(0, ...ends);
  if (last > 0) return last;
  const ready = conditions.find((c) => c.type === 'Ready' && c.status === 'False');
  const { deletionTimestamp, creationTimestamp } = pod.metadata ?? {};
  return parseTime(ready?.lastTransitionTime ?? deletionTimestamp ?? creationTimestamp) ?? 0;
}
