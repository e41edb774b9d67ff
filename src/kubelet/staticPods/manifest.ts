/**
 * Pods from files and URLs: read, defaulted, validated, and named for their node.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/
 */
import { createHash } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { resourceReferredTo } from '../../apis/core/podObjectReferences.ts';
import { dnsSubdomain } from '../../machinery/names.ts';
import { decode } from '../../machinery/schema/decode.ts';
import { applyDefaults } from '../../machinery/schema/defaults.ts';
import { formatTime } from '../../machinery/time.ts';

export const CONFIG = {
  source: 'kubernetes.io/config.source',
  hash: 'kubernetes.io/config.hash',
  seen: 'kubernetes.io/config.seen',
  mirror: 'kubernetes.io/config.mirror',
} as const;

/** A manifest is none, or asks for what a static pod cannot have. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

export interface Origin {
  readonly kind: 'file' | 'http';
  /** the path or URL: the same manifest elsewhere is another pod */
  readonly place: string;
  readonly nodeName: string;
  /** ms since the epoch */
  readonly now: number;
}

const MAX_PODS = 1000;

/** One pod, a list of them, or several documents. @throws ManifestError */
export function podsOfManifest(text: string, origin: Origin): Pod[] {
  return documentsOf(text)
    .flatMap((value) => {
      const { kind, apiVersion, items } = (value ?? {}) as { kind?: unknown; apiVersion?: unknown; items?: unknown };
      if (apiVersion !== 'v1' || (kind !== 'Pod' && kind !== 'PodList'))
        throw new ManifestError(`this is no Pod of v1, but ${String(kind)} of ${String(apiVersion)}`);
      return kind === 'PodList' && Array.isArray(items) ? items.slice(0, MAX_PODS) : [value];
    })
    .map((value) => staticPod(value, origin));
}

function documentsOf(text: string): unknown[] {
  const documents = parseAllDocuments(text, { logLevel: 'error' });
  if (!Array.isArray(documents)) return [];
  return documents
    .map((document) => {
      const [error] = document.errors;
      if (error !== undefined) throw new ManifestError(error.message);
      try {
        return document.toJS({ maxAliasCount: 0 }) as unknown;
      } catch (cause) {
        throw new ManifestError((cause as Error).message);
      }
    })
    .filter((value) => value !== null);
}

function staticPod(value: unknown, { kind, place, nodeName, now }: Origin): Pod {
  const { value: pod, errors, unknown } = decode<Pod>(pods.schema, value);
  const [error] = errors;
  if (error !== undefined) throw new ManifestError(`${error.path}: ${error.message}`);
  if (unknown.length > 0) throw new ManifestError(`unknown field ${JSON.stringify(unknown[0])}`);
  const hash = createHash('md5')
    .update(`${nodeName}\0${place}\0${JSON.stringify(pod)}`)
    .digest('hex');
  const { name = '', namespace = 'default', labels, annotations } = pod.metadata ?? {};
  const uid = pod.metadata?.uid || hash;
  pod.metadata = {
    ...(labels === undefined ? {} : { labels }),
    name: `${name}-${nodeName.toLowerCase()}`,
    namespace,
    uid,
    annotations: { ...annotations, [CONFIG.source]: kind, [CONFIG.hash]: hash, [CONFIG.seen]: formatTime(now) },
  };
  applyDefaults(pods.schema, pod);
  pods.setDefaults?.(pod);
  const spec = pod.spec ?? { containers: [] };
  // Whatever befalls the node, the pod stays.
  spec.tolerations = [...(spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }];
  spec.nodeName = nodeName;
  pod.spec = spec;
  pod.status = { phase: 'Pending' };
  const faults = [...(name === '' ? ['metadata.name: Required value'] : dnsSubdomain(pod.metadata.name ?? ''))];
  for (const { field, detail } of pods.validate?.(pod) ?? [])
    faults.push(`${field}: ${detail || 'is missing or wrong'}`);
  if (faults.length > 0) throw new ManifestError(`invalid pod: ${faults.join(', ')}`);
  const reference = resourceReferredTo(spec);
  if (reference !== undefined) throw new ManifestError(`static pods may not reference ${reference}`);
  return pod;
}
