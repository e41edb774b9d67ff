import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ConfigMap, configMaps } from '../apis/core/configMap.ts';
import { Informers } from '../client/informers.ts';
import { FakeTransport, stored } from '../client/testing/fakeClient.ts';
import { VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import type { Kind } from '../machinery/kind.ts';
import { apiError } from '../machinery/status.ts';
import { type Action, act } from './action.ts';
import type { ControllerContext } from './context.ts';
import { type Plan, startLoop } from './loop.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort(new Error('the test is over'));
});

function setUp() {
  const transport = new FakeTransport();
  const clock = new VirtualClock();
  const stop = new AbortController();
  stops.push(stop);
  const basics = { clock, random: new SeededRandom(1), log: silentLogger, signal: stop.signal };
  const informers = new Informers({ ...basics, client: transport.client });
  const context: ControllerContext = { ...basics, informers, clientFor: () => transport.client };
  const writes = () => transport.requests.filter((r) => r.method !== 'GET').map((r) => r.method);
  return { transport, clock, context, informers, writes };
}

const map = (name: string, version: number): ConfigMap => stored({ metadata: { name, namespace: 'x' } }, version);
const list = { metadata: { resourceVersion: '5' }, items: [] };
const create = (name: string): Action => ({
  verb: 'create',
  kind: configMaps as Kind,
  object: { metadata: { name, namespace: 'x' } },
});

describe('a loop', () => {
  it('does not plan before its informers have synced', async () => {
    const { transport, clock, context, informers } = setUp();
    let answer: (list: unknown) => void = () => {};
    transport.answer = () => new Promise((resolve) => (answer = resolve));
    const informer = informers.of(configMaps);
    const plan = vi.fn(() => undefined);
    const loop = startLoop({ name: 'c', context, reads: [informer], plan });
    loop.enqueue('k');
    await clock.advance(0);
    expect(plan).not.toHaveBeenCalled();
    answer(list);
    await clock.advance(0);
    expect(plan).toHaveBeenCalledWith('k');
  });

  it('does not plan on what it wrote itself before it has seen that', async () => {
    const { transport, clock, context, informers, writes } = setUp();
    transport.answer = (request) => (request.method === 'GET' ? list : map('a', 7));
    const informer = informers.of(configMaps);
    const plan = (): Plan => ({ actions: informer.size === 0 ? [create('a')] : [] });
    const loop = startLoop({ name: 'c', context, reads: [informer], plan });
    informer.handle({ onAdd: () => loop.enqueue('k') });
    loop.enqueue('k');
    await clock.advance(0);
    expect(writes()).toEqual(['POST']);
    for (let i = 0; i < 5; i++) {
      loop.enqueue('k');
      await clock.advance(1000);
    }
    expect(writes()).toEqual(['POST']);
    transport.lastWatch.send('ADDED', map('a', 7));
    await clock.advance(1000);
    expect(writes()).toEqual(['POST']);
    // Another write of the kind that is later includes this one, whatever became of it.
    transport.lastWatch.send('DELETED', map('a', 9));
    loop.enqueue('k');
    await clock.advance(1000);
    expect(writes()).toEqual(['POST', 'POST']);
  });

  it('does not wait for ever for what it does not see', async () => {
    const { transport, clock, context, informers, writes } = setUp();
    transport.answer = (request) => (request.method === 'GET' ? list : map('a', 7));
    const informer = informers.of(configMaps);
    const loop = startLoop({ name: 'c', context, reads: [informer], plan: () => ({ actions: [create('a')] }) });
    loop.enqueue('k');
    await clock.advance(0);
    loop.enqueue('k');
    await clock.advance(31_000);
    expect(writes()).toEqual(['POST', 'POST']);
  });

  it('tells what follows of a failure, and tries again', async () => {
    const { transport, clock, context, informers } = setUp();
    let fail = true;
    transport.answer = (request) => {
      if (request.method === 'GET') return list;
      if (fail) throw apiError('Forbidden', 'no room');
      return map('a', 5);
    };
    const failures: (string | undefined)[] = [];
    const plan = (): Plan => ({
      actions: [create('a')],
      after(failure) {
        failures.push(failure?.message);
        return [];
      },
    });
    const loop = startLoop({ name: 'c', context, reads: [informers.of(configMaps)], plan });
    loop.enqueue('k');
    await clock.advance(4);
    expect(failures).toEqual(['no room']);
    fail = false;
    await clock.advance(1);
    expect(failures).toEqual(['no room', undefined]);
  });
});

describe('acting', () => {
  async function run(actions: readonly Action[], answer: FakeTransport['answer']) {
    const transport = new FakeTransport();
    transport.answer = answer;
    const events: string[] = [];
    const actor = {
      client: transport.client,
      recorder: { event: (_o: unknown, _t: string, reason: string) => events.push(reason) },
      signal: new AbortController().signal,
      onWritten() {},
    };
    const failure = await act(actor, actions).then(
      () => undefined,
      (error: Error) => error.message,
    );
    return { failure, count: transport.requests.length, events };
  }

  it('makes many in batches that double, and stops at the first that fails', async () => {
    const many = Array.from({ length: 100 }, (_, i) => create(`m${i}`));
    expect((await run(many, () => map('a', 1))).count).toBe(100);
    const refused = await run(many, () => {
      throw apiError('Forbidden', 'no');
    });
    expect(refused).toMatchObject({ failure: 'no', count: 1 });
    let made = 0;
    const late = await run(many, () => {
      if (++made > 10) throw apiError('Forbidden', 'no');
      return map('a', 1);
    });
    expect(late.count).toBe(15);
  });

  it('takes what is gone already for deleted, without saying that it did that', async () => {
    const object = stored(map('a', 1), 1);
    const event = { verb: 'event', regarding: object, type: 'Normal', reason: 'Deleted', message: '' } as const;
    const action: Action = { verb: 'delete', kind: configMaps as Kind, object, announce: { done: () => event } };
    const gone = await run([action], () => {
      throw apiError('NotFound', 'gone');
    });
    expect(gone).toEqual({ failure: undefined, count: 1, events: [] });
    expect(await run([action], () => ({}))).toEqual({ failure: undefined, count: 1, events: ['Deleted'] });
  });

  it('goes no further where a check does not hold', async () => {
    const object = stored(map('a', 1), 1);
    const check: Action = { verb: 'check', kind: configMaps as Kind, object };
    const another = { ...object, metadata: { ...object.metadata, uid: 'another' } };
    expect(await run([check, create('b')], () => another)).toMatchObject({ count: 1 });
    expect(await run([check, create('b')], () => object)).toMatchObject({ failure: undefined, count: 2 });
  });
});
