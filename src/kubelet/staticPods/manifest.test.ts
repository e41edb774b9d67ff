import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManifestError, podsOfManifest } from './manifest.ts';

const origin = { kind: 'file', place: '/m/web.yaml', nodeName: 'node-1', now: 0 } as const;
const manifest = (more: object = {}, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', ...metadata },
    spec: { containers: [{ name: 'main', image: 'busybox' }], ...more },
  });

it('names the pod for its node and says where it is from', () => {
  const [pod, ...others] = podsOfManifest(manifest({}, { labels: { a: 'b' } }), origin);
  expect(others).toEqual([]);
  expect(pod).toMatchObject({
    metadata: {
      name: 'web-node-1',
      namespace: 'default',
      labels: { a: 'b' },
      annotations: { 'kubernetes.io/config.source': 'file', 'kubernetes.io/config.hash': pod?.metadata?.uid },
    },
    spec: { nodeName: 'node-1', restartPolicy: 'Always', tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] },
    status: { phase: 'Pending' },
  });
});

it('is the same pod only with the same manifest at the same place', () => {
  const uid = (text: string, place: string = origin.place) =>
    podsOfManifest(text, { ...origin, place, now: 5 })[0]?.metadata?.uid;
  expect(uid(manifest())).toBe(uid(manifest()));
  expect(uid(manifest({ hostNetwork: true }))).not.toBe(uid(manifest()));
  expect(uid(manifest(), '/m/other.yaml')).not.toBe(uid(manifest()));
});

it('reads several documents and lists', () => {
  expect(podsOfManifest(`${manifest()}\n---\n${manifest({}, { name: 'b' })}\n---\n`, origin)).toHaveLength(2);
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: [JSON.parse(manifest())] });
  expect(podsOfManifest(list, { ...origin, kind: 'http' })).toHaveLength(1);
  expect(podsOfManifest('', origin)).toEqual([]);
});

const mounting = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
it.each([
  ['another kind', '{"apiVersion":"v1","kind":"Service"}', /this is no Pod/],
  ['no YAML', 'a: [', ManifestError],
  ['a field that there is not', manifest({ restart: 'no' }), /unknown field "spec.restart"/],
  ['a pod without containers', manifest({ containers: [] }), /spec.containers/],
  ['a name that is none', manifest({}, { name: 'Web!' }), /invalid pod/],
  ['a service account', manifest({ serviceAccountName: 'x' }), /may not reference serviceaccounts/],
  ['a config map', manifest(mounting({ configMap: { name: 'x' } })), /may not reference configmaps/],
  ['a secret', manifest(mounting({ secret: { secretName: 'x' } })), /may not reference secrets/],
  [
    'a variable from a config map',
    manifest({ containers: [{ name: 'm', image: 'i', envFrom: [{ configMapRef: { name: 'x' } }] }] }),
    /may not reference configmaps/,
  ],
] as const)('refuses %s', (_what, text, message) => {
  expect(() => podsOfManifest(text, origin)).toThrow(message);
});

it('never fails in another way', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((spec) => manifest({ volumes: spec })),
    fc.jsonValue().map((m) => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: m, spec: m })),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        podsOfManifest(input, origin);
      } catch (error) {
        expect(error).toBeInstanceOf(ManifestError);
      }
    }),
  );
});
