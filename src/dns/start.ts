/** The cluster's DNS: keeps its names as the services and endpoints of the API want them, and answers for them. */
import { namespaces } from '../apis/core/namespace.ts';
import { services } from '../apis/core/service.ts';
import { endpointSlices } from '../apis/discovery/endpointSlice.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import { refKey } from '../client/store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { type DnsServer, startDnsServer } from './server.ts';
import { serviceRecords } from './serviceRecords.ts';
import { Upstream } from './upstream.ts';
import { Zone } from './zone.ts';

export interface DnsOptions {
  /** may list and watch services, endpoint slices and namespaces (`system:kube-dns`) */
  readonly client: Client;
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** where it listens */
  readonly address: string;
  /** 0, where absent: any that is free */
  readonly port?: number;
  /** the name servers for all other names */
  readonly upstreams: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const SERVICE_NAME = 'kubernetes.io/service-name';
const BY_SERVICE = 'service';

/** Resolves when it answers, and knows all names. @throws the error of listening */
export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const { client, clock, random, signal, clusterDomain, address, port = 0 } = options;
  const log = options.log.child({ component: 'dns' });
  const informers = new Informers({ client, clock, random, log, signal });
  const zone = new Zone(clusterDomain);
  const serviceInformer = informers.of(services);
  const sliceInformer = informers.of(endpointSlices);
  const namespaceInformer = informers.of(namespaces);
  sliceInformer.addIndex(BY_SERVICE, ({ metadata: { labels, namespace } }) => {
    const name = labels?.[SERVICE_NAME];
    return name === undefined ? [] : [refKey(namespace, name)];
  });
  const update = (key: string) => {
    const service = serviceInformer.byKey(key);
    const slices = sliceInformer.byIndex(BY_SERVICE, key);
    zone.setService(key, service === undefined ? [] : serviceRecords(service, slices, clusterDomain));
  };
  const ofService = ({ metadata }: { metadata: { namespace?: string; name: string } }) =>
    update(refKey(metadata.namespace, metadata.name));
  serviceInformer.handle({ onAdd: ofService, onUpdate: ofService, onDelete: ofService });
  const ofSlice = ({
    metadata: { labels, namespace },
  }: {
    metadata: { labels?: Record<string, string>; namespace?: string };
  }) => {
    const name = labels?.[SERVICE_NAME];
    if (name !== undefined) update(refKey(namespace, name));
  };
  sliceInformer.handle({
    onAdd: ofSlice,
    onUpdate(slice, old) {
      if (old.metadata.labels?.[SERVICE_NAME] !== slice.metadata.labels?.[SERVICE_NAME]) ofSlice(old);
      ofSlice(slice);
    },
    onDelete: ofSlice,
  });
  namespaceInformer.handle({
    onAdd: ({ metadata }) => zone.setNamespace(metadata.name, true),
    onDelete: ({ metadata }) => zone.setNamespace(metadata.name, false),
  });
  await Promise.all([serviceInformer.synced, sliceInformer.synced, namespaceInformer.synced]);
  const upstream = new Upstream({ servers: options.upstreams, clock, random });
  const server = await startDnsServer({ zone, upstream, address, port, clock, random, log });
  signal.addEventListener('abort', () => void server.close(), { once: true });
  return server;
}
