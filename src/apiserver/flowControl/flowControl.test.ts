import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { flowSchemas } from '../../apis/flowcontrol/flowSchema.ts';
import { priorityLevelConfigurations } from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { KindRegistry } from '../../machinery/kindRegistry.ts';
import { openInMemory } from '../../storage/embedded/open.ts';
import type { RequestContext } from '../context.ts';
import { Registry } from '../registry/registry.ts';
import { flowControl as stageOf } from '../stages/flowControl.ts';
import { requestInfo } from '../stages/route.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';
import { schemaMatches } from './classify.ts';
import { FlowControl } from './flowControl.ts';
import { Level } from './level.ts';
import { dealHand } from './shuffleShard.ts';

const info = (method: string, url: string) => {
  const [path = '', query = ''] = url.split('?');
  return requestInfo(method, path, new URLSearchParams(query));
};

describe('a hand', () => {
  test('is of different queues, the same for the same flow', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 8 }), (flow, deck, size) => {
        const hand = dealHand(flow, deck, size);
        expect(new Set(hand).size).toBe(Math.min(deck, size));
        expect(hand.every((card) => card >= 0 && card < deck)).toBe(true);
        expect(dealHand(flow, deck, size)).toEqual(hand);
      }),
    );
  });
});

describe('a rule', () => {
  const subjects = [
    { kind: 'User', user: { name: 'anna' } },
    { kind: 'Group', group: { name: 'devs' } },
    { kind: 'ServiceAccount', serviceAccount: { namespace: 'ns', name: '*' } },
  ];
  const anna = { name: 'anna', groups: [] };
  const pods = { verbs: ['list'], apiGroups: [''], resources: ['pods'], namespaces: ['a'] };
  const rule = (resourceRules: (typeof pods & { clusterScope?: boolean })[], nonResourceURLs: string[] = []) => [
    { subjects, resourceRules, nonResourceRules: [{ verbs: ['get'], nonResourceURLs }] },
  ];
  test.each([
    ['the verb and the namespace', rule([pods]), anna, '/api/v1/namespaces/a/pods', true],
    ['another namespace', rule([pods]), anna, '/api/v1/namespaces/b/pods', false],
    ['all namespaces at once', rule([pods]), anna, '/api/v1/pods', false],
    ['all namespaces at once, if it says so', rule([{ ...pods, clusterScope: true }]), anna, '/api/v1/pods', true],
    ['a group', rule([pods]), { name: 'x', groups: ['devs'] }, '/api/v1/namespaces/a/pods', true],
    [
      'a service account',
      rule([pods]),
      { name: 'system:serviceaccount:ns:x', groups: [] },
      '/api/v1/namespaces/a/pods',
      true,
    ],
    [
      'one of another namespace',
      rule([pods]),
      { name: 'system:serviceaccount:nsx:x', groups: [] },
      '/api/v1/namespaces/a/pods',
      false,
    ],
    ['nobody', rule([pods]), { name: 'x', groups: [] }, '/api/v1/namespaces/a/pods', false],
    ['a path', rule([], ['/healthz']), anna, '/healthz', true],
    ['what is below a path', rule([], ['/healthz/*']), anna, '/healthz/etcd', true],
    ['another path', rule([], ['/healthz']), anna, '/healthzz', false],
  ])('is for %s', (_what, rules, user, path, expected) => {
    expect(schemaMatches(rules, user, info('GET', path))).toBe(expected);
  });
});

describe('a level', () => {
  const limited = (limitResponse: {
    type: string;
    queuing?: { queues: number; handSize: number; queueLengthLimit: number };
  }) => ({
    type: 'Limited',
    limited: { limitResponse },
  });
  test('is sure of its own seats, and borrows what is free', () => {
    const shared = { free: 1 };
    const one = new Level(shared);
    const other = new Level(shared);
    for (const level of [one, other]) {
      level.configure('', limited({ type: 'Reject' }), { nominal: 2, sure: 1, most: Number.POSITIVE_INFINITY });
    }
    expect([one.tryTake(), one.tryTake(), one.tryTake()]).toEqual([true, true, false]);
    expect([other.tryTake(), other.tryTake()]).toEqual([true, false]);
    one.release();
    expect(other.tryTake()).toBe(true);
    expect(shared.free).toBe(0);
  });

  test('serves flows in turns, and refuses what its queues do not hold', () => {
    const level = new Level({ free: 0 });
    const queuing = { queues: 64, handSize: 1, queueLengthLimit: 2 };
    level.configure('', limited({ type: 'Queue', queuing }), { nominal: 1, sure: 1, most: 1 });
    expect(level.tryTake()).toBe(true);
    const served: string[] = [];
    const wait = (flow: string) => level.enqueue(flow, { go: () => served.push(flow) });
    expect([wait('flood'), wait('flood'), wait('flood')].map((w) => w !== undefined)).toEqual([true, true, false]);
    wait('small');
    for (let i = 0; i < 3; i++) {
      level.release();
      level.dispatch();
    }
    expect(served).toEqual(['flood', 'small', 'flood']);
  });
});

describe('the stage', () => {
  const user = { name: 'anna', groups: ['system:authenticated'] };

  async function start() {
    const clock = new VirtualClock();
    const storage = openInMemory({ clock, log: silentLogger });
    const registry = new Registry(new KindRegistry([]), storage, clock);
    const control = new FlowControl(registry, clock, 4);
    await control.start();
    const stage = stageOf({ flowControl: control });
    const request = (groups = user.groups, url = '/api/v1/pods') => {
      const res = Object.assign(new EventEmitter(), { destroyed: false });
      const abort = new AbortController();
      const ctx = { raw: { res }, user: { ...user, groups }, info: info('GET', url), signal: abort.signal };
      return { res, abort, run: () => stage(ctx as unknown as RequestContext), ctx: ctx as { flowHeaders?: object } };
    };
    return { clock, request };
  }

  test('bounds what is under way, but not for administrators and watches that have begun', async () => {
    const { request } = await start();
    const running = Array.from({ length: 4 }, () => request());
    for (const { run } of running) expect(run()).toBeUndefined();
    await expect(request().run()).rejects.toMatchObject({ status: { code: 429, details: { retryAfterSeconds: 1 } } });
    expect(request(['system:masters']).run()).toBeUndefined();
    running[0]?.res.emit('close');
    expect(request(user.groups, '/api/v1/pods?watch=1').run()).toBeUndefined();
    expect(request().run()).toBeUndefined();
    await expect(request().run()).rejects.toThrow('Too many requests');
  });
});

describe('a server', () => {
  let server: TestServer;
  let port = 0;
  beforeAll(async () => {
    server = await startTestServer();
    port = (await server.api.listen({ host: '127.0.0.1', port: 0 })).port;
  });
  afterAll(() => server.stop());

  test('has the default objects, and tells each request where it belongs', async () => {
    const schemas = (await server.client.list(flowSchemas)).items;
    const levels = (await server.client.list(priorityLevelConfigurations)).items;
    expect(schemas).toHaveLength(11);
    expect(levels).toHaveLength(8);
    const uid = (items: readonly { metadata: { name: string; uid: string } }[], name: string) =>
      items.find((o) => o.metadata.name === name)?.metadata.uid;
    const admin = await http(server, port, '/api/v1/namespaces');
    expect(admin.headers['x-kubernetes-pf-flowschema-uid']).toBe(uid(schemas, 'exempt'));
    const node = await server.ca.issue('system:node:n', ['system:nodes']);
    const lease = await http(server, port, '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n', {
      as: node,
    });
    expect(lease.headers['x-kubernetes-pf-flowschema-uid']).toBe(uid(schemas, 'system-node-high'));
    expect(lease.headers['x-kubernetes-pf-prioritylevel-uid']).toBe(uid(levels, 'node-high'));
    const anna = await server.ca.issue('anna');
    const refused = await http(server, port, '/api/v1/pods', { as: anna });
    expect(refused.status).toBe(403);
    expect(refused.headers['x-kubernetes-pf-flowschema-uid']).toBe(uid(schemas, 'global-default'));
  });

  test('follows new schemas at once, and keeps the mandatory ones as they are', async () => {
    const rule = {
      subjects: [{ kind: 'User', user: { name: 'anna' } }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/version'] }],
    };
    const spec = { priorityLevelConfiguration: { name: 'system' }, matchingPrecedence: 50, rules: [rule] };
    const made = await server.client.create(flowSchemas, { metadata: { name: 'annas' }, spec });
    const anna = await server.ca.issue('anna');
    const answer = await http(server, port, '/version', { as: anna });
    expect(answer.headers['x-kubernetes-pf-flowschema-uid']).toBe(made.metadata.uid);
    const fixed = await server.client.get(flowSchemas, { name: 'catch-all' });
    await expect(server.client.update(flowSchemas, { ...fixed, spec })).rejects.toThrow(
      "spec of 'catch-all' must equal",
    );
  });

  test('says where a level is missing', async () => {
    const missing = async (name: string, wanted: string) =>
      vi.waitFor(async () => {
        const { status } = await server.client.get(flowSchemas, { name });
        expect(status?.conditions?.find((c) => c.type === 'Dangling')?.status).toBe(wanted);
      });
    await missing('global-default', 'False');
    const rule = {
      subjects: [{ kind: 'User', user: { name: 'x' } }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    };
    const spec = { priorityLevelConfiguration: { name: 'later' }, rules: [rule] };
    await server.client.create(flowSchemas, { metadata: { name: 'early' }, spec });
    await missing('early', 'True');
    const limited = { limitResponse: { type: 'Reject' } };
    await server.client.create(priorityLevelConfigurations, {
      metadata: { name: 'later' },
      spec: { type: 'Limited', limited },
    });
    await missing('early', 'False');
  });

  test('refuses what is beyond a level of its own', async () => {
    await server.client.create(priorityLevelConfigurations, {
      metadata: { name: 'none' },
      spec: {
        type: 'Limited',
        limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
      },
    });
    const rule = {
      subjects: [{ kind: 'User', user: { name: 'bob' } }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    };
    await server.client.create(flowSchemas, {
      metadata: { name: 'bobs' },
      spec: { priorityLevelConfiguration: { name: 'none' }, matchingPrecedence: 10, rules: [rule] },
    });
    const answer = await http(server, port, '/version', { as: await server.ca.issue('bob') });
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '1' }, json: { reason: 'TooManyRequests' } });
  });
});
