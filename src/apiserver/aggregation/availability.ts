/** Whether an API service can be asked: its service is there, has endpoints, and answers what every API server must. */
import { services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Registry } from '../registry/registry.ts';
import type { RemoteApi } from './remoteApi.ts';

/** What the condition Available says. */
export interface Finding {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

const DISCOVERY_TIMEOUT_MS = 5_000;
/** One of several endpoints may be ill. */
const ATTEMPTS = 3;

const no = (reason: string, message: string): Finding => ({ status: 'False', reason, message });

export async function findAvailability(api: RemoteApi, registry: Registry, signal: AbortSignal): Promise<Finding> {
  const { namespace, name, port } = api.service;
  const shown = `service/${name} in ${JSON.stringify(namespace)}`;
  try {
    await Promise.all([registry.cache(services).freshen(), registry.cache(endpointSlices).freshen()]);
  } catch (error) {
    const message = `${shown} cannot be checked due to: ${(error as Error).message}`;
    return { status: 'Unknown', reason: 'ServiceAccessError', message };
  }
  const service = registry.cache(services).object(namespace, name);
  if (service === undefined) return no('ServiceNotFound', `${shown} is not present`);
  if (service.spec?.type === 'ClusterIP') {
    const found = (service.spec.ports ?? []).find((p) => p.port === port);
    if (found === undefined) return no('ServicePortError', `${shown} is not listening on port ${port}`);
    const missing = missingEndpoints(registry, api, found.name ?? '');
    if (missing !== undefined) return missing;
  }
  const failure = await discoveryFailure(api, signal);
  if (failure !== undefined) return no('FailedDiscoveryCheck', failure);
  return { status: 'True', reason: 'Passed', message: 'all checks passed' };
}

function missingEndpoints(registry: Registry, { service }: RemoteApi, portName: string): Finding | undefined {
  const { namespace, name } = service;
  const cache = registry.cache(endpointSlices);
  const slices = cache
    .entries(namespace)
    .flatMap(({ object }) => cache.object(namespace, object.metadata.name) ?? [])
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name);
  const shown = `service/${name} in ${JSON.stringify(namespace)}`;
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${shown}`);
  const active = slices.some(
    ({ endpoints = [], ports }) =>
      (endpoints ?? []).some((e) => e.conditions?.ready !== false) &&
      (ports ?? []).some((p) => (p.name ?? '') === portName && p.port !== undefined),
  );
  if (active) return undefined;
  const message = `endpointslices for ${shown} have no addresses with port name ${JSON.stringify(portName)}`;
  return no('MissingEndpoints', message);
}

/** Undefined as soon as one attempt was answered well. */
async function discoveryFailure(api: RemoteApi, signal: AbortSignal): Promise<string | undefined> {
  const { group, version } = api.groupVersion;
  const path = `/apis/${group}/${version}`;
  let failure: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS && !signal.aborted; attempt++) {
    let shown = path;
    try {
      const { host, port } = await api.place();
      shown = `https://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
      // Who it is is verified when it is asked for something; here it opens no doors.
      const asked = { path, anyCertificate: true, timeoutMs: DISCOVERY_TIMEOUT_MS, signal };
      const { status } = await api.ask({ ...asked, headers: { accept: 'application/json' } });
      if (status >= 200 && status < 300) return undefined;
      failure = `failing or missing response from ${shown}: bad status from ${shown}: ${status}`;
    } catch (error) {
      failure = `failing or missing response from ${shown}: Get ${JSON.stringify(shown)}: ${(error as Error).message}`;
    }
  }
  return failure ?? 'the server is stopping';
}
