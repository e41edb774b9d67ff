import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodes } from '../../apis/core/node.ts';
import { pods } from '../../apis/core/pod.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.create(serviceAccounts, { metadata: { namespace, name: 'default' } });
  for (const [name, os] of [
    ['small', 'linux'],
    ['odd', 'windows'],
  ] as const) {
    await server.client.create(nodes, { metadata: { name, labels: { 'kubernetes.io/os': os } } });
    const status = { allocatable: { cpu: '2', memory: '1Gi', pods: '10' } };
    await server.client.patch(nodes, { name }, 'merge', { status }, { subresource: 'status' });
  }
});
afterAll(() => server.stop());

const make = (name: string, nodeName: string) =>
  server.client.create(pods, {
    metadata: { namespace, name },
    spec: {
      ...(nodeName === '' ? {} : { nodeName }),
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1', memory: '1Mi' } } }],
    },
  });
function resize(name: string, cpu: string, memory = '1Mi') {
  const spec = { containers: [{ name: 'c', resources: { requests: { cpu, memory } } }] };
  return server.client.patch(pods, { namespace, name }, 'strategic', { spec }, { subresource: 'resize' });
}

test('a pod gets no more than its node could ever give', async () => {
  await make('p', 'small');
  await resize('p', '2');
  await expect(resize('p', '3', '2Gi')).rejects.toMatchObject({
    status: {
      code: 403,
      message:
        'pods "p" is forbidden: node didn\'t have enough allocatable resources: ' +
        'cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824',
      details: { name: 'p', kind: 'pods', causes: [{ reason: 'NodeCapacity' }] },
    },
  });
});

test('one of no node may wish for anything', async () => {
  await make('free', '');
  expect((await resize('free', '30')).spec?.containers[0]?.resources?.requests?.cpu).toBe('30');
});

test('only nodes with Linux change what runs, and only nodes that are there', async () => {
  await make('w', 'odd');
  await expect(resize('w', '2')).rejects.toThrow(
    'pod resize is only supported on linux nodes, node "odd" is "windows"',
  );
  await make('lost', 'nowhere');
  await expect(resize('lost', '2')).rejects.toThrow('node "nowhere" not found');
});
