/** The server as a stub resolver sees it. */
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../apis/core/service.ts';
import type { EndpointSlice } from '../apis/discovery/endpointSlice.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import { formatError, readQuery, readRecord, writeResponse } from './message.ts';
import { type DnsServer, startDnsServer } from './server.ts';
import { serviceRecords } from './serviceRecords.ts';
import { framed, Upstream } from './upstream.ts';
import { Zone } from './zone.ts';

const DOMAIN = 'cluster.local';
const clock = new SystemClock();
const random = new SeededRandom(1);
const LOOPBACK = '127.0.0.1';

const service = (name: string, spec: Service['spec']): Service => ({
  metadata: { name, namespace: 'default' },
  spec: { ports: [{ name: 'http', port: 80 }], ...spec } as Service['spec'],
});
const slice = (endpoints: NonNullable<EndpointSlice['endpoints']>): EndpointSlice => ({
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
});

function zoneOf(): Zone {
  const zone = new Zone(DOMAIN);
  const set = (s: Service, ...slices: EndpointSlice[]) =>
    zone.setService(`default/${s.metadata?.name}`, serviceRecords(s, slices, DOMAIN));
  zone.setNamespace('default', true);
  set(service('web', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] }));
  const endpoints = [
    { addresses: ['10.244.0.3'], hostname: 'web-0', conditions: { ready: true } },
    { addresses: ['10.244.0.4'] },
    { addresses: ['10.244.0.5'], conditions: { ready: false } },
  ];
  set(service('nodes', { clusterIP: 'None' }), slice(endpoints));
  const many = Array.from({ length: 120 }, (_, i) => ({ addresses: [`10.244.1.${i}`] }));
  set(service('many', { clusterIP: 'None' }), slice(many));
  set(service('alias', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local.' }));
  set(service('outside', { type: 'ExternalName', externalName: 'host.example' }));
  set(service('circle', { type: 'ExternalName', externalName: 'circle.default.svc.cluster.local' }));
  return zone;
}

async function serverOf(zone: Zone, upstreams: readonly string[] = []): Promise<DnsServer> {
  const upstream = new Upstream({ servers: upstreams, clock, random });
  return startDnsServer({ zone, upstream, address: LOOPBACK, port: 0, clock, random, log: silentLogger });
}

function resolverOf(server: DnsServer): Resolver {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`${LOOPBACK}:${server.port}`]);
  return resolver;
}

/** Another server, which knows one outside name. */
function outside(): Zone {
  const zone = new Zone('example');
  zone.setService('a', [{ name: 'host.example', data: { type: 'A', address: Buffer.from([192, 0, 2, 1]) } }]);
  return zone;
}

let server: DnsServer;
let elsewhere: DnsServer;
let resolver: Resolver;
beforeAll(async () => {
  elsewhere = await serverOf(outside());
  server = await serverOf(zoneOf(), [`${LOOPBACK}#${elsewhere.port}`]);
  resolver = resolverOf(server);
});
afterAll(async () => {
  await server.close();
  await elsewhere.close();
});

const full = (name: string) => `${name}.default.svc.${DOMAIN}`;

describe('the cluster DNS', () => {
  it.each<[string, string, unknown]>([
    ['A', full('web'), ['10.96.0.7']],
    ['A', full('WEB').toUpperCase(), ['10.96.0.7']],
    ['AAAA', full('web'), ['fd00::7']],
    ['A', full('web-0.nodes'), ['10.244.0.3']],
    ['A', full('10-244-0-4.nodes'), ['10.244.0.4']],
    ['A', full('alias'), ['10.96.0.7']],
    ['CNAME', full('alias'), [full('web')]],
    ['A', full('outside'), ['192.0.2.1']],
    ['A', 'host.example', ['192.0.2.1']],
    ['A', `10-1-2-3.default.pod.${DOMAIN}`, ['10.1.2.3']],
    ['AAAA', `fd00--1.default.pod.${DOMAIN}`, ['fd00::1']],
    ['TXT', `dns-version.${DOMAIN}`, [['1.1.0']]],
    ['NS', DOMAIN, [`ns.dns.${DOMAIN}`]],
    ['PTR', '7.0.96.10.in-addr.arpa', [full('web')]],
    ['PTR', '3.0.244.10.in-addr.arpa', [full('web-0.nodes')]],
    ['SRV', full('_http._tcp.web'), [{ name: full('web'), port: 80, priority: 0, weight: 100 }]],
  ])('answers %s %s', async (type, name, expected) => {
    expect(await resolver.resolve(name, type as 'A')).toEqual(expected);
  });

  it('names the endpoints that are ready, and their ports', async () => {
    expect((await resolver.resolve4(full('nodes'))).sort()).toEqual(['10.244.0.3', '10.244.0.4']);
    const found = await resolver.resolveSrv(full('_http._tcp.nodes'));
    expect(found.map((r) => `${r.name}:${r.port} ${r.weight}`).sort()).toEqual([
      `${full('10-244-0-4.nodes')}:8080 50`,
      `${full('web-0.nodes')}:8080 50`,
    ]);
  });

  it('says who has the authority', async () => {
    expect(await resolver.resolveSoa(DOMAIN)).toMatchObject({ nsname: `ns.dns.${DOMAIN}`, minttl: 5 });
  });

  it.each<[string, string, string]>([
    ['A', full('absent'), 'ENOTFOUND'],
    ['A', `web.absent.svc.${DOMAIN}`, 'ENOTFOUND'],
    ['A', full('web-1.nodes'), 'ENOTFOUND'],
    ['A', `10-1-2-3.absent.pod.${DOMAIN}`, 'ENOTFOUND'],
    ['A', `default.svc.${DOMAIN}`, 'ENODATA'],
    ['A', full('_tcp.web'), 'ENODATA'],
    ['TXT', full('web'), 'ENODATA'],
    ['A', 'absent.example', 'ENOTFOUND'],
    ['A', 'other.test', 'ESERVFAIL'],
    ['A', full('circle'), 'ESERVFAIL'],
  ])('has no %s of %s', async (type, name, code) => {
    await expect(resolver.resolve(name, type as 'A')).rejects.toMatchObject({ code });
  });

  it('gives over TCP what is too long for a datagram', async () => {
    expect(await resolver.resolve4(full('many'))).toHaveLength(120);
  });

  it('follows what changes at once', async () => {
    const zone = new Zone(DOMAIN);
    const changing = await serverOf(zone);
    try {
      const asking = resolverOf(changing);
      const ask = () => asking.resolve4(full('late')).catch((error: { code: string }) => error.code);
      expect(await ask()).toBe('ENOTFOUND');
      zone.setService('default/late', serviceRecords(service('late', { clusterIP: '10.96.0.9' }), [], DOMAIN));
      expect(await ask()).toEqual(['10.96.0.9']);
      zone.setService('default/late', []);
      expect(await ask()).toBe('ENOTFOUND');
      expect(zone.find(`default.svc.${DOMAIN}`)).toBeUndefined();
    } finally {
      await changing.close();
    }
  });

  it('fails where nobody can be asked', async () => {
    const alone = await serverOf(zoneOf());
    try {
      await expect(resolverOf(alone).resolve4('host.example')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    } finally {
      await alone.close();
    }
  });

  it('answers several questions on one connection, and ends one that talks nonsense', async () => {
    const socket = connect(server.port, LOOPBACK);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const query = queryFor(full('web'), 1);
    const answers = new Promise<number>((resolve) => {
      let length = 0;
      socket.on('data', (chunk) => {
        length += chunk.length;
        if (length > 2 * query.length) resolve(length);
      });
    });
    socket.write(Buffer.concat([framed(query), framed(query)]));
    expect(await answers).toBeGreaterThan(2 * query.length);
    socket.write(framed(Buffer.from([1])));
    await closed;
  });
});

function queryFor(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

describe('messages', () => {
  it('that are no queries do no harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, likely) => {
        const message = Buffer.from(bytes);
        if (likely && message.length > 6) message.set([0, 0, 0, 1], 2);
        const query = readQuery(message);
        if (query === undefined) formatError(message);
        else writeResponse(query, { rcode: 0, authoritative: true, answers: [], authority: [], additional: [] }, 512);
        for (let at = 0; at < message.length; at++) readRecord(message, at);
      }),
      { numRuns: 500 },
    );
  });

  it('never exceed their limit, and say when something is left out', () => {
    const query = readQuery(queryFor(full('many'), 1));
    if (query === undefined) throw new Error('the query cannot be read');
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 512, max: 4096 }), (count, limit) => {
        const answers = Array.from({ length: count }, (_, i) => ({
          name: full('many'),
          ttl: 5,
          data: { type: 'A' as const, address: Buffer.from([10, 0, 0, i]) },
        }));
        const parts = { rcode: 0, authoritative: true, answers, authority: [], additional: [] };
        const message = writeResponse(query, parts, limit);
        expect(message.length).toBeLessThanOrEqual(limit);
        const whole = message.readUInt16BE(6) === count;
        expect(((message[2] ?? 0) & 2) !== 0).toBe(!whole);
        // A name that was written before takes two bytes.
        expect(message.length).toBe(12 + query.question.length + message.readUInt16BE(6) * 16);
      }),
      { numRuns: 100 },
    );
  });
});
