/** Random clusters for property tests. */
import fc from 'fast-check';
import type { PodInfo } from '../podInfo.ts';
import { info, node } from './objects.ts';

const zones = ['1', '2', '3'];
const apps = ['a', 'b'];

const anyNode = fc.record({
  cpu: fc.integer({ min: 1, max: 8 }),
  memory: fc.integer({ min: 1, max: 16 }),
  pods: fc.integer({ min: 1, max: 6 }),
  zone: fc.constantFrom(...zones),
  tainted: fc.boolean(),
});

const anyPod = fc.record({
  cpu: fc.integer({ min: 0, max: 4000 }),
  memory: fc.integer({ min: 0, max: 8192 }),
  app: fc.constantFrom(...apps),
  priority: fc.integer({ min: 0, max: 3 }),
  zone: fc.option(fc.constantFrom(...zones), { nil: undefined }),
  tolerates: fc.boolean(),
  hostPort: fc.option(fc.integer({ min: 8000, max: 8001 }), { nil: undefined }),
  alone: fc.boolean(),
});
type AnyPod = typeof anyPod extends fc.Arbitrary<infer T> ? T : never;

function makePod(p: AnyPod, i: number): PodInfo {
  const alone = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app: p.app } } },
      ],
    },
  };
  return info(`pod${i}`, {
    labels: { app: p.app },
    spec: {
      priority: p.priority,
      containers: [
        {
          name: 'main',
          image: 'app:1',
          resources: { requests: { cpu: `${p.cpu}m`, memory: `${p.memory}Mi` } },
          ...(p.hostPort === undefined ? {} : { ports: [{ containerPort: 80, hostPort: p.hostPort }] }),
        },
      ],
      ...(p.zone === undefined ? {} : { nodeSelector: { zone: p.zone } }),
      ...(p.tolerates ? { tolerations: [{ operator: 'Exists' }] } : {}),
      ...(p.alone ? { affinity: alone } : {}),
    },
  });
}

export const anyCluster = fc
  .tuple(fc.array(anyNode, { minLength: 1, maxLength: 6 }), fc.array(anyPod, { minLength: 1, maxLength: 25 }))
  .map(([nodes, pods]) => ({
    nodes: nodes.map((n, i) =>
      node(`node${i}`, {
        allocatable: { cpu: String(n.cpu), memory: `${n.memory}Gi`, pods: String(n.pods) },
        labels: { zone: n.zone },
        ...(n.tainted ? { taints: [{ key: 'x', effect: 'NoSchedule' }] } : {}),
      }),
    ),
    pods: pods.map(makePod),
  }));
