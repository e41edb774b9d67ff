/** The kubelet's own server, with real containers: directly, and through the API server. Needs root and containerd. */
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenRequest } from '../src/apis/authentication/tokenRequest.ts';
import { persistentVolumes } from '../src/apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../src/apis/core/persistentVolumeClaim.ts';
import { pods } from '../src/apis/core/pod.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import { clusterRoles } from '../src/apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../src/apis/rbac/clusterRoleBinding.ts';
import type { Kubelet } from '../src/kubelet/kubelet.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';

describe.skipIf(!isRoot)("the kubelet's server", () => {
  let node: TestNode;
  let kubelet: Kubelet;

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.6', bridge: 'kubets-t6' });
    await node.stopKubelet();
    kubelet = await node.startKubelet({ maxPods: 42 });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
    const script = 'while true; do echo $((i=i+1)) > /tmp/x; done & sleep 1000';
    const main = {
      name: 'main',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
      resources: { limits: { cpu: '100m', memory: '50Mi' } },
    };
    const hostPath = { path: node.dir };
    const size = { storage: '1Gi' };
    const claim = { accessModes: ['ReadWriteOnce'], storageClassName: '', volumeName: 'data' };
    await node.client.create(persistentVolumes, {
      metadata: { name: 'data' },
      spec: { capacity: size, accessModes: ['ReadWriteOnce'], hostPath },
    });
    await node.client.create(persistentVolumeClaims, {
      metadata: { name: 'data', namespace },
      spec: { ...claim, resources: { requests: size } },
    });
    const volumes = [
      { name: 'scratch', emptyDir: {} },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ];
    const spec = { nodeName: node.name, terminationGracePeriodSeconds: 0, containers: [main], volumes };
    await node.client.create(pods, { metadata: { name: 'busy', namespace }, spec });
    await until(
      'the pod runs',
      async () => (await node.client.get(pods, { namespace, name: 'busy' })).status?.phase === 'Running',
    );
  });
  afterAll(() => node?.stop());

  interface Answer {
    readonly status: number;
    readonly text: string;
  }

  function ask(port: number, path: string, more: { cert?: string; key?: string; token?: string }): Promise<Answer> {
    const { token, ...certificate } = more;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port,
        path,
        headers,
        rejectUnauthorized: false,
        agent: false,
        ...certificate,
      };
      request(options, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => resolve({ status: res.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      })
        .on('error', reject)
        .end();
    });
  }

  const direct = (path: string) => ask(kubelet.port, path, node.certificates.apiserverKubeletClient);
  const through = (path: string) =>
    ask(node.port, `/api/v1/nodes/${node.name}/proxy${path}`, node.certificates.apiserverKubeletClient);

  it.each([
    ['/healthz', /^ok$/],
    ['/healthz?verbose', /^\[\+\]ping ok\n.*healthz check passed\n$/s],
    ['/pods', /"kind":"PodList".*"name":"busy"/],
    ['/runningpods/', /"name":"busy"/],
    ['/configz', /"kubeletconfig":\{"kind":"KubeletConfiguration".*"maxPods":42/],
    ['/metrics', /^kubelet_running_pods 1$/m],
    ['/metrics', /^kubelet_running_containers\{container_state="running"\} 1$/m],
    ['/metrics', /^kubelet_runtime_operations_total\{operation_type="run_podsandbox"\} 1$/m],
    ['/metrics', /^kubelet_pod_start_duration_seconds_count 1$/m],
    ['/metrics/resource', /^container_memory_working_set_bytes\{container="main",namespace="default",pod="busy"\} \d/m],
    [
      '/metrics/cadvisor',
      /^container_cpu_usage_seconds_total\{container="main",id="\/kubepods\/pod[^"]*".*pod="busy",cpu="total"\}/m,
    ],
    [
      '/metrics/cadvisor',
      /^container_network_receive_bytes_total\{container="",id="[^"]+".*interface="eth0".*pod="busy"\} [1-9]/m,
    ],
    ['/metrics/cadvisor', /^container_spec_memory_limit_bytes\{container="main".*\} 52428800$/m],
    ['/metrics/cadvisor', /^container_processes\{container="main".*\} [2-9]$/m],
    ['/metrics/cadvisor', /^machine_cpu_cores \d+$/m],
    ['/stats/summary', /"podRef":\{"name":"busy".*"network":\{"time":"[^"]+","name":"eth0","rxBytes":[1-9]/],
    ['/metrics', /^kubelet_volume_stats_capacity_bytes\{namespace="default",persistentvolumeclaim="data"\} [1-9]\d+$/m],
    ['/stats/summary', /"name":"scratch"/],
    ['/stats/summary', /"pvcRef":\{"name":"data","namespace":"default"\}/],
    ['/logs/', /<pre>/],
  ] as const)('tells at %s: %s', async (path, expected) => {
    for (const answer of [await direct(path), await through(path)]) {
      expect(answer.text).toMatch(expected);
      expect(answer.status).toBe(200);
    }
  });

  it('counts throttled periods and probes', async () => {
    await until('periods that were throttled', async () =>
      /^container_cpu_cfs_throttled_periods_total\{.*pod="busy"\} [1-9]/m.test(
        (await direct('/metrics/cadvisor')).text,
      ),
    );
    await until('probes', async () =>
      /^prober_probe_total\{.*probe_type="Liveness",result="successful"\} [1-9]/m.test(
        (await direct('/metrics/probes')).text,
      ),
    );
  });

  it.each([
    '/nothing',
    '/logs/../../etc/passwd',
    '/logs/%2e%2e/%2e%2e/etc/passwd',
    '/logs/none',
    '/metrics/none',
    '/healthz/none',
  ])('has nothing at %s', async (path) => {
    expect(await direct(path)).toMatchObject({ status: 404 });
  });

  it('asks who it is, and whether they may', async () => {
    expect(await ask(kubelet.port, '/metrics', {})).toMatchObject({ status: 401 });
    expect(await ask(kubelet.port, '/metrics', { token: 'nonsense' })).toMatchObject({ status: 401 });
    const may = async (path: string, name: string) =>
      (await ask(kubelet.port, path, { token: await tokenOf(name) })).status;
    expect(await may('/metrics', 'default')).toBe(403);
    await node.client.create(serviceAccounts, { metadata: { name: 'viewer', namespace } });
    await node.client.create(clusterRoles, {
      metadata: { name: 'viewer' },
      rules: [{ apiGroups: [''], resources: ['nodes/metrics', 'nodes/configz'], verbs: ['get'] }],
    });
    await node.client.create(clusterRoleBindings, {
      metadata: { name: 'viewer' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'viewer' },
      subjects: [{ kind: 'ServiceAccount', name: 'viewer', namespace }],
    });
    for (const [path, status] of [
      ['/metrics/cadvisor', 200],
      ['/configz', 200],
      ['/pods', 403],
      ['/stats/summary', 403],
      ['/logs/', 403],
      [`/containerLogs/${namespace}/busy/main`, 403],
    ] as const)
      expect([path, await may(path, 'viewer')]).toEqual([path, status]);
  });

  async function tokenOf(name: string): Promise<string> {
    const { status } = await node.client.createSubresource<TokenRequest, TokenRequest>(
      serviceAccounts,
      { namespace, name },
      'token',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [] },
      },
    );
    return status?.token ?? '';
  }
});
