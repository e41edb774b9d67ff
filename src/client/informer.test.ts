import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ConfigMap, configMaps } from '../apis/core/configMap.ts';
import { VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import { apiError } from '../machinery/status.ts';
import { Informer } from './informer.ts';
import { Informers } from './informers.ts';
import { FakeTransport, stored } from './testing/fakeClient.ts';
import { TransportError } from './transport.ts';

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort(new Error('the test is over'));
});

const map = (name: string, version: number, extra: Partial<ConfigMap['metadata']> = {}) =>
  stored<ConfigMap>({ metadata: { name, namespace: 'default', ...extra } }, version);

function setUp() {
  const transport = new FakeTransport();
  const clock = new VirtualClock();
  const stop = new AbortController();
  stops.push(stop);
  const options = {
    client: transport.client,
    clock,
    random: new SeededRandom(1),
    log: silentLogger,
    signal: stop.signal,
  };
  const heard: string[] = [];
  const start = () => {
    const informer = new Informer({ ...options, kind: configMaps });
    informer.handle({
      onAdd: (o, initial) => heard.push(`+${o.metadata.name}${initial ? '!' : ''}`),
      onUpdate: (o, old) =>
        heard.push(`~${o.metadata.name} ${old.metadata.resourceVersion}>${o.metadata.resourceVersion}`),
      onDelete: (o, missed) => heard.push(`-${o.metadata.name}${missed ? '?' : ''}`),
    });
    return informer;
  };
  return { transport, clock, stop, options, heard, start };
}

describe('an informer', () => {
  it('lists, then goes on from there by a watch', async () => {
    const { transport, heard, start } = setUp();
    transport.answer = () => ({ metadata: { resourceVersion: '5' }, items: [map('a', 3)] });
    const informer = start();
    await informer.synced;
    await vi.waitFor(() => expect(transport.watches).toHaveLength(1));
    expect(transport.lastWatch.request.query).toMatchObject({ resourceVersion: '5', allowWatchBookmarks: 'true' });
    transport.lastWatch.send('ADDED', map('b', 6));
    transport.lastWatch.send('MODIFIED', map('a', 7));
    transport.lastWatch.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
    transport.lastWatch.send('DELETED', map('b', 10));
    expect(heard).toEqual(['+a!', '+b', '~a 3>7', '-b']);
    expect(informer.resourceVersion).toBe('10');
    expect(informer.list('default').map((o) => o.metadata.name)).toEqual(['a']);
    expect(informer.get('default', 'b')).toBeUndefined();
  });

  it('tells a handler that comes later of what is there', async () => {
    const { transport, start } = setUp();
    transport.answer = () => ({ metadata: { resourceVersion: '5' }, items: [map('a', 3)] });
    const informer = start();
    await informer.synced;
    const seen: string[] = [];
    const leave = informer.handle({ onAdd: (o) => seen.push(o.metadata.name) });
    leave();
    await vi.waitFor(() => expect(transport.watches).toHaveLength(1));
    transport.lastWatch.send('ADDED', map('b', 6));
    expect(seen).toEqual(['a']);
  });

  it('watches again from where it was when a watch ends', async () => {
    const { transport, clock, start } = setUp();
    const informer = start();
    await informer.synced;
    await vi.waitFor(() => expect(transport.watches).toHaveLength(1));
    transport.lastWatch.send('ADDED', map('b', 6));
    transport.lastWatch.end();
    await clock.advance(0);
    expect(transport.watches).toHaveLength(2);
    expect(transport.lastWatch.request.query?.resourceVersion).toBe('6');
    expect(transport.requests).toHaveLength(1);
  });

  it('lists again when the server has forgotten the revision, and tells of what it missed', async () => {
    const { transport, clock, heard, start } = setUp();
    transport.answer = () => ({ metadata: { resourceVersion: '5' }, items: [map('a', 3), map('b', 4)] });
    const informer = start();
    await informer.synced;
    await vi.waitFor(() => expect(transport.watches).toHaveLength(1));
    heard.length = 0;
    transport.answer = () => ({
      metadata: { resourceVersion: '90' },
      items: [map('a', 80, { uid: 'another' }), map('c', 81)],
    });
    transport.lastWatch.send('ERROR', apiError('Expired', 'too old').status);
    await clock.advance(2_000);
    expect(heard).toEqual(['-a?', '+a', '+c', '-b?']);
    expect(transport.requests.at(-1)?.query).not.toHaveProperty('resourceVersion');
    expect(transport.lastWatch.request.query?.resourceVersion).toBe('90');
  });

  it('waits longer and longer while the server cannot be reached, and syncs once it can', async () => {
    const { transport, clock, start } = setUp();
    transport.answer = () => {
      throw new TransportError('refused');
    };
    const informer = start();
    await clock.advance(60_000);
    const tries = transport.requests.length;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(18);
    transport.answer = () => ({ metadata: { resourceVersion: '1' }, items: [] });
    await clock.advance(60_000);
    await informer.synced;
  });

  it('ends with its signal: nothing is heard any more, and who waits is told', async () => {
    const { transport, clock, stop, heard, start } = setUp();
    transport.answer = () => new Promise(() => {});
    const informer = start();
    stop.abort(new Error('stopped'));
    await expect(informer.synced).rejects.toThrow('stopped');
    await clock.advance(100_000);
    expect(transport.requests).toHaveLength(1);
    expect(heard).toEqual([]);
  });

  it('goes on when a handler throws', async () => {
    const { transport, heard, options } = setUp();
    transport.answer = () => ({ metadata: { resourceVersion: '5' }, items: [map('a', 3)] });
    const informer = new Informer({ ...options, kind: configMaps });
    informer.handle({
      onAdd() {
        throw new Error('mine');
      },
    });
    informer.handle({ onAdd: (o) => heard.push(o.metadata.name) });
    await informer.synced;
    expect(heard).toEqual(['a']);
  });

  it('finds by index, also after changes', async () => {
    const { transport, start } = setUp();
    const owned = (name: string, version: number, team: string) => map(name, version, { labels: { team } });
    transport.answer = () => ({ metadata: { resourceVersion: '5' }, items: [owned('a', 1, 'x'), owned('b', 2, 'x')] });
    const informer = start();
    await informer.synced;
    informer.addIndex('team', (o) => [o.metadata.labels?.team ?? '']);
    const names = (team: string) => informer.byIndex('team', team).map((o) => o.metadata.name);
    expect(names('x')).toEqual(['a', 'b']);
    await vi.waitFor(() => expect(transport.watches).toHaveLength(1));
    transport.lastWatch.send('MODIFIED', owned('a', 6, 'y'));
    transport.lastWatch.send('DELETED', owned('b', 7, 'x'));
    expect([names('x'), names('y')]).toEqual([[], ['a']]);
    expect(() => informer.byIndex('none', '')).toThrow('no index');
  });

  it('is shared by all who ask for the same kind and selection', () => {
    const { options } = setUp();
    const informers = new Informers(options);
    expect(informers.of(configMaps)).toBe(informers.of(configMaps));
    expect(informers.of(configMaps, { namespace: 'x' })).not.toBe(informers.of(configMaps));
  });
});
