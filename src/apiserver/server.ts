/** The API server: puts its parts together and starts them. */
import { builtinKinds, resourceMetricsKinds } from '../apis/registry.ts';
import type { Transport } from '../client/transport.ts';
import { KindRegistry } from '../machinery/kindRegistry.ts';
import type { AuditOptions } from './audit/audit.ts';
import { abacOf, DEFAULT_AUTHORIZATION } from './authorization/modes.ts';
import { createBuiltins } from './builtins.ts';
import { type Listener, listen } from './connection.ts';
import { type HealthCheck, healthHandlers } from './health.ts';
import { inProcessTransport } from './inProcess.ts';
import type { ApiServerOptions, ListenAddress } from './options.ts';
import { createPipeline } from './pipeline.ts';
import { Registry } from './registry/registry.ts';
import type { Handler } from './stage.ts';
import type { User } from './user.ts';
import { versionHandler } from './version.ts';

export interface ApiServer {
  /** @throws the listen error (EADDRINUSE, EACCES, …) */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** The way for parts of this process, as `user`; `agent` is what they call themselves. */
  transport(user: User, agent?: string): Transport;
  close(): Promise<void>;
}

const POOL_BYTES = 64 * 1024;

/** Resolves when requests can be answered. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { storage, clock } = options;
  // Objects, records and answers are buffers of some kilobytes, of which Node's usual pool of 8 KiB holds one or two:
  // making pools would cost a tenth of a write.
  Buffer.poolSize = Math.max(Buffer.poolSize, POOL_BYTES);
  const kinds = [...(options.kinds ?? builtinKinds), ...(options.nodeUsage === undefined ? [] : resourceMetricsKinds)];
  const registry = new Registry(new KindRegistry(kinds), storage, clock);
  const ping: HealthCheck = { name: 'ping', async check() {} };
  const store: HealthCheck = {
    name: 'etcd',
    async check() {
      await storage.check();
    },
  };
  let closing = false;
  const shutdown: HealthCheck = {
    name: 'shutdown',
    async check() {
      if (closing) throw new Error('process is shutting down');
    },
  };
  const abac = await abacOf(options.authorization ?? DEFAULT_AUTHORIZATION);
  const audit = options.audit === undefined ? undefined : await openAudit(options.audit, options);
  const paths: [string, Handler][] = [
    ...healthHandlers({ healthz: [ping, store], livez: [ping, store], readyz: [ping, store, shutdown] }),
    ['/version', versionHandler],
  ];
  const builtins = createBuiltins(options, registry, paths, { audit, abac });
  const { parts } = builtins;
  const pipeline = createPipeline(parts);
  const transport = (user: User, agent?: string) => inProcessTransport(parts, pipeline, user, agent);
  await builtins.start(transport);
  let listener: Listener | undefined;
  return {
    async listen(address) {
      const { tls, frontProxy } = options;
      const clientCAs = frontProxy === undefined ? [tls.clientCA] : [tls.clientCA, frontProxy.ca];
      listener = await listen(parts, pipeline, { ...tls, clientCAs }, address);
      await builtins.listening(listener.port);
      return { port: listener.port };
    },
    transport,
    async close() {
      closing = true;
      builtins.stop();
      await listener?.close();
      registry.stop();
      await audit?.close();
    },
  };
}

/** Loaded only where it is asked for. @throws AuditPolicyError */
async function openAudit(asked: AuditOptions, parts: Pick<ApiServerOptions, 'clock' | 'random' | 'log'>) {
  const { Audit } = await import('./audit/audit.ts');
  return Audit.open(asked, parts);
}
