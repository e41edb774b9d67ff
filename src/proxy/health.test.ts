import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Node } from '../apis/core/node.ts';
import { VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { ProxyHealth, serveProxyHealth } from './health.ts';

const START = Date.UTC(2026, 0, 1);
const LEAVING: Node = { spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } };
const DELETED: Node = { metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } };

describe('the health of a proxy', () => {
  it('is good as long as no change waits for too long', async () => {
    const clock = new VirtualClock(START);
    const health = new ProxyHealth(clock);
    await clock.advance(600_000);
    expect(health.isLive).toBe(true);
    health.changed();
    await clock.advance(59_000);
    health.changed();
    expect(health.isLive).toBe(true);
    await clock.advance(1_000);
    expect(health.isLive).toBe(false);
    expect(health.answer(true)).toEqual({
      status: 503,
      body: '{"lastUpdated":"2026-01-01T00:00:00.000Z","currentTime":"2026-01-01T00:11:00.000Z","nodeEligible":true}',
    });
    health.written();
    expect(health.answer(false)).toEqual({
      status: 200,
      body: '{"lastUpdated":"2026-01-01T00:11:00.000Z","currentTime":"2026-01-01T00:11:00.000Z"}',
    });
  });

  it.each([
    ['is to be deleted', LEAVING],
    ['is being deleted', DELETED],
  ])('of a node that %s: it lives, and gets nothing new', (_what, node) => {
    const health = new ProxyHealth(new VirtualClock(START));
    health.sawNode(node);
    expect([health.answer(true).status, health.answer(false).status]).toEqual([503, 200]);
    health.sawNode({ metadata: { name: 'a' } });
    expect(health.answer(true).status).toBe(200);
  });
});

describe('its ports', () => {
  let end = new AbortController();
  afterEach(() => {
    end.abort();
    end = new AbortController();
  });
  const serve = (health: ProxyHealth, healthPort = 0) =>
    serveProxyHealth({ health, mode: 'nftables', healthPort, statusPort: 0, log: silentLogger, signal: end.signal });
  const ask = async (port: number | undefined, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return [answer.status, await answer.text()];
  };

  it('say how it is, and how it works', async () => {
    const health = new ProxyHealth(new VirtualClock(START));
    const ports = await serve(health);
    expect(await ask(ports.health, '/healthz')).toEqual([200, health.answer(true).body]);
    expect(await ask(ports.health, '/livez?x')).toEqual([200, health.answer(false).body]);
    expect((await ask(ports.health, '/'))[0]).toBe(404);
    expect(await ask(ports.status, '/proxyMode')).toEqual([200, 'nftables']);
    expect(await ask(ports.status, '/healthz')).toEqual([200, 'ok']);
    expect((await ask(ports.status, '/other'))[0]).toBe(404);
    health.sawNode(LEAVING);
    expect((await ask(ports.health, '/healthz'))[0]).toBe(503);
  });

  it("may be another cluster's", async () => {
    const other = createServer().listen(0);
    try {
      await once(other, 'listening');
      const ports = await serve(new ProxyHealth(new VirtualClock(START)), (other.address() as AddressInfo).port);
      expect(ports).toEqual({ status: expect.any(Number) });
    } finally {
      other.close();
    }
  });
});
