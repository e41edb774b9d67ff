import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { endpoints } from '../../src/apis/core/endpoints.ts';
import { nodes } from '../../src/apis/core/node.ts';
import { type Service, services } from '../../src/apis/core/service.ts';
import { type EndpointSlice, endpointSlices } from '../../src/apis/discovery/endpointSlice.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

const expose = (spec: Service['spec'], annotations: Record<string, string> = {}) =>
  world.cluster.client.create(services, {
    metadata: { name: 'web', namespace: NAMESPACE, annotations },
    spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  });
const run = (replicas: number) =>
  world.create(deployments, 'web', {
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: template('web', 'one', { 'start-delay': '2s' }),
    },
  });
async function slices(): Promise<EndpointSlice[]> {
  const labelSelector = 'kubernetes.io/service-name=web';
  return [...(await world.cluster.client.list(endpointSlices, { namespace: NAMESPACE, labelSelector })).items];
}
async function setZone(node: string, zone: string) {
  const labels = { 'topology.kubernetes.io/zone': zone };
  await world.cluster.client.patch(nodes, { name: node }, 'merge', { metadata: { labels } });
}

describe('endpoints of a service', () => {
  it('are in slices and in the older form, and say since when', async () => {
    await expose({ selector: { app: 'web' } });
    await run(2);
    await world.advance('10s');
    const [slice] = await slices();
    expect(slice?.endpoints).toHaveLength(2);
    expect(slice?.metadata?.annotations).toHaveProperty(['endpoints.kubernetes.io/last-change-trigger-time']);
    const old = await world.get(endpoints, 'web');
    expect(old.subsets?.[0]?.addresses).toHaveLength(2);
    expect(old.metadata.annotations).toHaveProperty(['endpoints.kubernetes.io/last-change-trigger-time']);
  });

  it('say which pods are on their way out and serve still', async () => {
    await expose({ selector: { app: 'web' } });
    await run(1);
    await world.advance('10s');
    const pod = (await world.pods('web'))[0]?.metadata.name ?? '';
    await world.cluster.client.patch(deployments, { namespace: NAMESPACE, name: 'web' }, 'merge', {
      spec: { replicas: 0 },
    });
    await world.advance('1ms');
    const states = (await slices()).flatMap((s) => s.endpoints ?? []);
    for (const { targetRef, conditions } of states) {
      expect(targetRef?.name).toBe(pod);
      expect(conditions).toEqual({ ready: false, serving: true, terminating: true });
    }
    await world.advance('60s');
    expect((await slices()).flatMap((s) => s.endpoints ?? [])).toEqual([]);
  });

  it('are mirrored where somebody wrote them', async () => {
    await expose({});
    await world.create(endpoints, 'web', {
      subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ name: 'http', port: 9000 }] }],
    });
    await world.advance('1s');
    expect(await slices()).toMatchObject([
      { endpoints: [{ addresses: ['192.0.2.7'] }], ports: [{ name: 'http', port: 9000, protocol: 'TCP' }] },
    ]);
    await world.delete(endpoints, 'web');
    await world.advance('1s');
    expect(await slices()).toEqual([]);
  });

  it('stay near, where the service wants it', async () => {
    await setZone('node-0', 'east');
    await setZone('node-1', 'west');
    await setZone('node-2', 'west');
    await world.advance('1s');
    await run(6);
    await world.advance('10s');
    await expose({ selector: { app: 'web' }, trafficDistribution: 'PreferSameNode' });
    await world.advance('1s');
    for (const e of (await slices()).flatMap((s) => s.endpoints ?? [])) {
      expect(e.hints).toEqual({ forZones: [{ name: e.zone }], forNodes: [{ name: e.nodeName }] });
    }
    await world.cluster.client.delete(services, { namespace: NAMESPACE, name: 'web' });
    await world.advance('5s');
    await expose({ selector: { app: 'web' } }, { 'service.kubernetes.io/topology-mode': 'Auto' });
    await world.advance('1s');
    const zones = (await slices()).flatMap((s) => s.endpoints ?? []).map((e) => e.hints?.forZones?.[0]?.name);
    expect([...zones].sort()).toEqual(['east', 'east', 'west', 'west', 'west', 'west']);
    // The west has a node less: what is dealt out follows.
    await setZone('node-2', 'east');
    await world.advance('1s');
    const after = (await slices()).flatMap((s) => s.endpoints ?? []).map((e) => e.hints?.forZones?.[0]?.name);
    expect([...after].sort()).toEqual(['east', 'east', 'east', 'east', 'west', 'west']);
  });
});
