/** The API server under test, in a process of its own: starts it, tells its parent where it is, ends with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import { clusterRoleBindings } from '../src/apis/rbac/clusterRoleBinding.ts';
import { createApiServer } from '../src/apiserver/server.ts';
import { newKey, TestCA } from '../src/apiserver/testing/certificates.ts';
import { createClient } from '../src/client/createClient.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/log.ts';
import { SystemRandom } from '../src/lib/random.ts';
import { openEmbedded } from '../src/storage/embedded/open.ts';

/** What the parent is told. */
export interface ServerUnderTest {
  readonly port: number;
  /** of a service account that may do everything through RBAC */
  readonly token: string;
}

interface Usage {
  readonly rssBytes: number;
  /** user and system time so far */
  readonly cpuMs: number;
}

export type { Usage };

const clock = new SystemClock();
const dir = await mkdtemp(join(tmpdir(), 'kubets-bench-'));
const storage = await openEmbedded({ dir, clock, log: silentLogger });
const ca = await TestCA.create(clock);
const serving = await ca.issue('kube-apiserver');
const api = await createApiServer({
  storage,
  clock,
  random: new SystemRandom(),
  log: silentLogger,
  tls: { ...serving, clientCA: ca.pem },
  kubeletClient: { ...serving, ca: ca.pem },
  serviceAccountKey: await newKey(),
  serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
  serviceCIDR: '10.96.0.0/16',
  advertiseAddress: '10.0.0.1',
});
const client = createClient(api.transport({ name: 'admin', groups: ['system:masters'] }));
await client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'default' } });
await client.create(clusterRoleBindings, {
  metadata: { name: 'bench' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'default' }],
});
const { status } = await client.createSubresource<unknown, { status: { token: string } }>(
  serviceAccounts as never,
  { namespace: 'default', name: 'default' },
  'token',
  { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } },
);
const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port, token: status.token } satisfies ServerUnderTest);

process.on('message', (message) => {
  if (message !== 'usage') return;
  const { user, system } = process.cpuUsage();
  process.send?.({ rssBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1000 } satisfies Usage);
});
process.on('disconnect', () => {
  void (async () => {
    await api.close();
    await storage.close();
    await rm(dir, { recursive: true, force: true });
    process.exit(0);
  })();
});
