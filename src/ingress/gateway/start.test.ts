import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GATEWAY_DEFINITIONS } from '../../../test/support/gatewayDefinitions.ts';
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from '../../apis/apiextensions/customResourceDefinition.ts';
import { startTestServer, type TestServer } from '../../apiserver/testing/testServer.ts';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { SeededRandom } from '../../lib/random.ts';
import { gatewayClasses, gateways } from './kinds.ts';
import { startGatewayController } from './start.ts';

const PATIENCE_MS = 30_000;

describe('the definitions of the Gateway API', () => {
  const clock = new VirtualClock();
  const end = new AbortController();
  const published: string[] = [];
  let server: TestServer;
  let lists = 0;

  beforeEach(async () => {
    server = await startTestServer();
    const counting = new Proxy(server.client, {
      get(client, name) {
        const value: unknown = Reflect.get(client, name, client);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'list' && args[0] === gateways) lists++;
          return value.apply(client, args);
        };
      },
    });
    startGatewayController({
      client: counting,
      address: '127.0.0.1',
      publish: async (gateway, _service, ports) => {
        published.push(`${gateway.metadata.name} ${[...ports.keys()].join()}`);
      },
      clock,
      random: new SeededRandom(1),
      log: silentLogger,
      signal: end.signal,
    });
  });
  afterEach(async () => {
    end.abort();
    await server.stop();
  });

  /** Lets time go on until it is so. */
  async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    while (!(await isSo())) {
      deadline.throwIfAborted();
      await clock.advance(100);
    }
  }
  const isThere = (what: Promise<unknown>) =>
    what.then(
      () => true,
      () => false,
    );
  const define = async () => {
    for (const definition of GATEWAY_DEFINITIONS)
      await server.client.create(customResourceDefinitions, structuredClone(definition) as CustomResourceDefinition);
  };
  const serveOne = async () => {
    await eventually(() => isThere(server.client.get(gatewayClasses, { name: 'kubets' })));
    await server.client.create(gateways, {
      metadata: { name: 'gate', namespace: 'default' },
      spec: { gatewayClassName: 'kubets', listeners: [{ name: 'http', port: 8080, protocol: 'HTTP' }] },
    });
    await eventually(() => published.length > 0);
  };

  it('may go, and come again', async () => {
    await define();
    await serveOne();
    expect(published.splice(0)).toEqual(['gate 8080']);
    for (const { metadata } of (await server.client.list(customResourceDefinitions, {})).items)
      await server.client.delete(customResourceDefinitions, metadata);
    await eventually(async () => (await server.client.list(customResourceDefinitions, {})).items.length === 0);
    // What was under way when they went may have asked once more.
    await clock.advance(1_000);
    lists = 0;
    await clock.advance(600_000);
    expect(lists).toBe(0);
    await define();
    await serveOne();
    expect(published).toEqual(['gate 8080']);
  });
});
