/** What other API servers say of themselves may be anything: nobody else must suffer from it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SystemClock, VirtualClock } from '../../lib/clock.ts';
import type { Aggregation } from './aggregation.ts';
import type { RemoteAnswer, RemoteApi } from './remoteApi.ts';
import { discover, NOTHING_KNOWN } from './remoteDiscovery.ts';
import { mergedVersion2, RemoteOpenApi } from './remoteOpenApi.ts';

const GV = { group: 'shop.example.com', version: 'v1' };
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const { signal } = new AbortController();

type Answers = (path: string) => Partial<RemoteAnswer> & { readonly text: string };

const apiThat = (answers: Answers): RemoteApi =>
  ({
    name: 'v1.shop.example.com',
    groupVersion: GV,
    apiVersion: 'shop.example.com/v1',
    available: true,
    async ask({ path }: { path: string }): Promise<RemoteAnswer> {
      const { text, ...rest } = answers(path);
      return { status: 200, contentType: 'application/json', etag: undefined, ...rest, body: Buffer.from(text) };
    },
  }) as unknown as RemoteApi;

const openApiOf = (api: RemoteApi) =>
  new RemoteOpenApi({ remotes: [api] } as unknown as Aggregation, new SystemClock()).all();

/** Documents that have some of what is looked for, with anything in it. */
const resource = fc.record(
  {
    name: fc.oneof(fc.constantFrom('wares', 'wares/price', '/', '__proto__', 'constructor'), fc.jsonValue()),
    kind: fc.jsonValue(),
    verbs: fc.jsonValue(),
    namespaced: fc.jsonValue(),
    group: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const list = fc.record({ resources: fc.oneof(fc.array(fc.oneof(resource, fc.jsonValue())), fc.jsonValue()) });
const groups = fc.record({
  items: fc.oneof(
    fc.array(
      fc.record({
        metadata: fc.oneof(fc.constant({ name: GV.group }), fc.jsonValue()),
        versions: fc.oneof(
          fc.array(fc.record({ version: fc.constantFrom('v1', 'v2'), resources: fc.jsonValue() })),
          fc.jsonValue(),
        ),
      }),
    ),
    fc.jsonValue(),
  ),
});
const text = fc.oneof(
  list.map((value) => JSON.stringify(value)),
  groups.map((value) => JSON.stringify(value)),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.string(),
);

describe('discovery', () => {
  test('is a list of objects, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(text, text, fc.constantFrom(200, 200, 200, 404, 500), async (all, own, status) => {
        const api = apiThat((path) =>
          path === '/apis' ? { status, contentType: AGGREGATED, text: all } : { status, text: own },
        );
        const { resources, freshness } = await discover(api, NOTHING_KNOWN, signal);
        expect(['Current', 'Stale']).toContain(freshness);
        for (const each of resources) expect(typeof each).toBe('object');
        expect(() => JSON.stringify(resources)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test('what was known stays where nothing comes', async () => {
    const before = { resources: [{ resource: 'wares' }], freshness: 'Current' as const };
    const api = apiThat(() => ({ status: 503, text: '' }));
    expect(await discover(api, before, signal)).toEqual({ ...before, freshness: 'Stale' });
  });
});

const openApi = fc.record({
  paths: fc.oneof(
    fc.dictionary(fc.constantFrom('/apis/shop.example.com/v1/wares', '/apis/apps/v1/deployments', 'x'), fc.jsonValue()),
    fc.jsonValue(),
  ),
  definitions: fc.oneof(
    fc.dictionary(fc.constantFrom('a', 'b', 'own'), fc.constantFrom({ $ref: '#/definitions/b' }, { type: 'string' })),
    fc.jsonValue(),
  ),
});

describe('OpenAPI', () => {
  test('of another server changes nothing of this one', async () => {
    const own = { paths: { '/apis/apps/v1/deployments': { get: {} } }, definitions: { own: { type: 'object' } } };
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          openApi.map((value) => JSON.stringify(value)),
          text,
        ),
        async (document) => {
          const all = await openApiOf(apiThat(() => ({ text: document })));
          const parts = [...(all?.values() ?? [])].flatMap(({ version2 }) => version2 ?? []);
          expect(mergedVersion2(own, parts)).toMatchObject(own);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of a server that does not answer is asked for once at a time, and not waited for long', async () => {
    const clock = new VirtualClock(0);
    let asked = 0;
    const api = {
      ...apiThat(() => ({ text: '' })),
      ask() {
        asked++;
        return new Promise<RemoteAnswer>(() => {});
      },
    } as unknown as RemoteApi;
    const documents = new RemoteOpenApi({ remotes: [api] } as unknown as Aggregation, clock);
    const first = documents.all();
    await clock.advance(3_000);
    expect([...((await first)?.values() ?? [])]).toMatchObject([{ version3: undefined, version2: undefined }]);
    const before = asked;
    const again = documents.all();
    await clock.advance(3_000);
    await again;
    expect(asked).toBe(before);
  });

  test('that fails is asked for again after a while, and what it said stays', async () => {
    const clock = new VirtualClock(0);
    let works = true;
    const document = JSON.stringify({ paths: { '/apis/shop.example.com/v1/wares': { get: {} } } });
    const api = apiThat(() => {
      if (!works) throw new Error('out of order');
      return { text: document };
    });
    const documents = new RemoteOpenApi({ remotes: [api] } as unknown as Aggregation, clock);
    const known = { version2: { paths: { '/apis/shop.example.com/v1/wares': { get: {} } } } };
    expect([...((await documents.all())?.values() ?? [])]).toMatchObject([known]);
    works = false;
    await clock.advance(120_000);
    expect([...((await documents.all())?.values() ?? [])]).toMatchObject([known]);
  });

  test('a definition of the same name that says something else gets another name', () => {
    const own = { paths: {}, definitions: { a: { type: 'object' }, b: { type: 'string' } } };
    const part = {
      paths: { '/p': { schema: { $ref: '#/definitions/a' } } },
      definitions: { a: { properties: { x: { $ref: '#/definitions/b' } } }, b: { type: 'string' } },
    };
    expect(mergedVersion2(own, [part])).toEqual({
      paths: { '/p': { schema: { $ref: '#/definitions/a_v2' } } },
      definitions: {
        a: { type: 'object' },
        a_v2: { properties: { x: { $ref: '#/definitions/b' } } },
        b: { type: 'string' },
      },
    });
  });
});
