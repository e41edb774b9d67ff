import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Node } from '../apis/core/node.ts';
import type { Pod } from '../apis/core/pod.ts';
import type { Stored } from '../machinery/kind.ts';
import { ClusterCache } from './clusterCache.ts';
import { podInfoOf } from './podInfo.ts';
import type { Snapshot } from './snapshot.ts';

const node = (name: string, unschedulable: boolean) =>
  ({
    metadata: { name, uid: name },
    spec: { unschedulable },
    status: { allocatable: { cpu: '4' } },
  }) as unknown as Stored<Node>;

const term = { topologyKey: 'zone', labelSelector: { matchLabels: { a: 'b' } } };
const pod = (uid: string) =>
  podInfoOf({
    metadata: { name: uid, namespace: 'default', uid },
    spec: {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }],
      // Every third has such terms.
      ...(Number(uid) % 3 === 0
        ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
        : {}),
    },
  } as unknown as Stored<Pod>);

const names = fc.constantFrom('n1', 'n2', 'n3');
const uids = fc.nat(6).map(String);
const change = fc.oneof(
  fc.record({ do: fc.constant('setNode' as const), name: names, cordoned: fc.boolean() }),
  fc.record({ do: fc.constant('removeNode' as const), name: names }),
  fc.record({ do: fc.constant('setPod' as const), name: names, uid: uids }),
  fc.record({ do: fc.constant('removePod' as const), uid: uids }),
  fc.record({ do: fc.constant('nominate' as const), name: fc.option(names, { nil: undefined }), uid: uids }),
  fc.record({ do: fc.constant('look' as const) }),
);

const shown = ({ nodes, withAffinity, nominated }: Snapshot) => ({
  nodes: nodes
    .map((n) => `${n.name} ${n.node.spec?.unschedulable} ${n.pods.map((p) => p.uid).sort()} ${n.free('cpu')}`)
    .sort(),
  withAffinity: withAffinity.map((n) => n.name).sort(),
  nominated: [...nominated].map(([name, pods]) => `${name} ${pods.map((p) => p.uid).sort()}`).sort(),
});

it('shows after any changes what a cache that saw only what is left of them shows', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const cache = new ClusterCache();
      const nodes = new Map<string, boolean>();
      const placed = new Map<string, string>();
      const nominated = new Map<string, string>();
      for (const c of changes) {
        if (c.do === 'look') cache.snapshot();
        else if (c.do === 'setNode') {
          cache.setNode(node(c.name, c.cordoned));
          nodes.set(c.name, c.cordoned);
        } else if (c.do === 'removeNode') {
          cache.removeNode(c.name);
          nodes.delete(c.name);
        } else if (c.do === 'setPod') {
          cache.setPod(pod(c.uid), c.name);
          placed.set(c.uid, c.name);
          nominated.delete(c.uid);
        } else if (c.do === 'removePod') {
          cache.removePod(c.uid);
          placed.delete(c.uid);
          nominated.delete(c.uid);
        } else {
          cache.nominate(pod(c.uid), c.name);
          if (c.name === undefined) nominated.delete(c.uid);
          else nominated.set(c.uid, c.name);
        }
      }
      const fresh = new ClusterCache();
      for (const [name, cordoned] of nodes) fresh.setNode(node(name, cordoned));
      for (const [uid, name] of placed) fresh.setPod(pod(uid), name);
      for (const [uid, name] of nominated) fresh.nominate(pod(uid), name);
      expect(shown(cache.snapshot())).toEqual(shown(fresh.snapshot()));
    }),
    { numRuns: 300 },
  );
});
