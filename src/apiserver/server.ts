/** The API server: puts its parts together and starts them. */
import { builtinKinds } from '../apis/registry.ts';
import type { Transport } from '../client/transport.ts';
import { KindRegistry } from '../machinery/kindRegistry.ts';
import { bearerTokenAuthenticator } from './authentication/bearerToken.ts';
import { openIdPaths } from './authentication/openIdDiscovery.ts';
import { ServiceAccountTokens } from './authentication/serviceAccountTokens.ts';
import { x509Authenticator } from './authentication/x509.ts';
import { mastersAuthorizer } from './authorization/masters.ts';
import { Rbac } from './authorization/rbac.ts';
import { type Listener, listen } from './connection.ts';
import { type HealthCheck, healthHandlers } from './health.ts';
import { inProcessTransport } from './inProcess.ts';
import type { ApiServerOptions, ListenAddress } from './options.ts';
import { createPipeline } from './pipeline.ts';
import { Registry } from './registry/registry.ts';
import type { ApiServerParts, Handler } from './stage.ts';
import type { User } from './user.ts';
import { versionHandler } from './version.ts';

export interface ApiServer {
  /** @throws the listen error (EADDRINUSE, EACCES, …) */
  listen(address: ListenAddress): Promise<{ port: number }>;
  /** The way for parts of this process, as `user`. */
  transport(user: User): Transport;
  close(): Promise<void>;
}

/** Resolves when requests can be answered. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { storage, clock, random, log } = options;
  const registry = new Registry(new KindRegistry(options.kinds ?? builtinKinds), storage);
  const rbac = new Rbac(registry);
  const tokens = new ServiceAccountTokens({
    privateKey: options.serviceAccountKey,
    issuer: options.serviceAccountIssuer,
    audiences: [options.serviceAccountIssuer],
    registry,
    clock,
    random,
  });
  const ping: HealthCheck = { name: 'ping', async check() {} };
  const store: HealthCheck = {
    name: 'etcd',
    async check() {
      await storage.revision();
    },
  };
  const paths = new Map<string, Handler>([
    ...healthHandlers({ healthz: [ping, store], livez: [ping, store], readyz: [ping, store] }),
    ['/version', versionHandler],
    ...openIdPaths(tokens, `${options.advertiseAddress}`),
  ]);
  const parts: ApiServerParts = {
    registry,
    clock,
    random,
    log,
    authenticators: [x509Authenticator(), bearerTokenAuthenticator(tokens)],
    authorizers: [mastersAuthorizer, rbac],
    admission: [],
    handlers: new Map<string, Handler>(),
    paths,
  };
  const pipeline = createPipeline(parts);
  await rbac.start();
  let listener: Listener | undefined;
  return {
    async listen(address) {
      listener = await listen(parts, pipeline, options.tls, address);
      return { port: listener.port };
    },
    transport: (user) => inProcessTransport(parts, pipeline, user),
    async close() {
      await listener?.close();
      rbac.stop();
      registry.stop();
    },
  };
}
