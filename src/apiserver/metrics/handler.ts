/** /metrics */
import type { Clock } from '../../lib/clock.ts';
import { exposition, type Family, METRICS_TYPE } from '../../lib/exposition.ts';
import { type Kind, storagePrefix } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { Handler } from '../stage.ts';
import { GIT_VERSION, MAJOR, MINOR } from '../version.ts';
import type { RequestMetrics } from './requestMetrics.ts';

/** @param more what other parts of the server count */
export function metricsHandler(
  requests: RequestMetrics,
  registry: Registry,
  clock: Clock,
  more: () => readonly Family[] = () => [],
): Handler {
  const started = clock.now() / 1000;
  return () => {
    const families = [...requests.families(), ...more(), storedObjects(registry), ...processFamilies(started)];
    return { type: 'raw', status: 200, contentType: METRICS_TYPE, body: Buffer.from(exposition(families)) };
  };
}

/** Of the kinds that anybody has asked for yet: the others are not counted, as that would load them. */
function storedObjects(registry: Registry): Family {
  // Versions that others convert have a cache each, of the same objects.
  const caches = new Map(registry.cached().flatMap((c) => (c.ready ? [[storagePrefix(c.kind), c] as const] : [])));
  return {
    name: 'apiserver_resource_objects',
    help: '[ALPHA] Objects that are stored, by resource.',
    type: 'gauge',
    samples: [...caches.values()].map((cache) => ({ labels: nameOf(cache.kind), value: cache.entries().length })),
  };
}

const nameOf = ({ group, plural }: Kind) => ({ group, resource: plural });

export function auditFamilies(audit: { readonly events: number } | undefined): Family[] {
  if (audit === undefined) return [];
  const samples = [{ labels: {}, value: audit.events }];
  return [
    { name: 'apiserver_audit_event_total', help: '[ALPHA] Audit events that were written.', type: 'counter', samples },
  ];
}

/** Other API servers that cannot be asked now. */
export function aggregationFamilies(
  remotes: readonly { readonly name: string; readonly available: boolean }[],
): Family[] {
  const samples = remotes.map(({ name, available }) => ({ labels: { name }, value: available ? 0 : 1 }));
  if (samples.length === 0) return [];
  const help = '[ALPHA] Whether an API service is unavailable.';
  return [{ name: 'aggregator_unavailable_apiservice', help, type: 'gauge', samples }];
}

function processFamilies(started: number): Family[] {
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
  const one = (name: string, help: string, type: 'counter' | 'gauge', value: number, labels = {}): Family => ({
    name,
    help,
    type,
    samples: [{ labels, value }],
  });
  return [
    one('kubernetes_build_info', '[BETA] The version that is served.', 'gauge', 1, {
      major: MAJOR,
      minor: MINOR,
      git_version: GIT_VERSION,
      platform: `${process.platform}/${process.arch}`,
    }),
    one('process_cpu_seconds_total', 'Processor time of the process.', 'counter', (user + system) / 1e6),
    one('process_resident_memory_bytes', 'Memory of the process.', 'gauge', memory.rss),
    one('process_start_time_seconds', 'When the API server was started.', 'gauge', started),
    one('nodejs_heap_size_used_bytes', 'Objects of the process.', 'gauge', memory.heapUsed),
    one('nodejs_external_memory_bytes', 'Buffers of the process.', 'gauge', memory.external),
  ];
}
