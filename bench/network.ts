/**
 * Services in the kernel, in a network namespace of the bench's own, and the cluster's DNS over loopback.
 * The rules go through `nft`, as the proxy writes them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Service } from '../src/apis/core/service.ts';
import type { EndpointSlice } from '../src/apis/discovery/endpointSlice.ts';
import { startDnsServer } from '../src/dns/server.ts';
import { serviceRecords } from '../src/dns/serviceRecords.ts';
import { Upstream } from '../src/dns/upstream.ts';
import { Zone } from '../src/dns/zone.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/log.ts';
import { SystemRandom } from '../src/lib/random.ts';
import { objectsOf } from '../src/proxy/nftables/objects.ts';
import { Table } from '../src/proxy/nftables/table.ts';
import { planService } from '../src/proxy/plan.ts';
import type { Figure } from './apiserver.ts';

type Report = (figure: Figure) => void;

const SERVICES = 10_000;
const ENDPOINTS = 3;
const CHANGES = 20;
const NAMESPACE = 'kubets-bench';
const HERE = { nodeName: 'node', zone: undefined };
const clock = new SystemClock();
const random = new SystemRandom();

/** @param report is told each figure as it is there */
export async function benchNetwork(report: Report): Promise<void> {
  await measureRules(report);
  await measureNames(report);
}

async function measureRules(report: Report): Promise<void> {
  spawnSync('ip', ['netns', 'add', NAMESPACE]);
  try {
    const table = new Table({
      table: 'bench',
      podCIDR: '10.128.0.0/9',
      serviceCIDR: '10.96.0.0/12',
      bridge: 'none',
    });
    await nft(table.whole());
    const started = performance.now();
    const all = new Map(Array.from({ length: SERVICES }, (_, i) => [`ns/${i}`, rulesOf(i, 0)] as const));
    table.change(all);
    await nft(table.whole());
    const full = performance.now() - started;
    report({
      what: `${SERVICES} services of ${ENDPOINTS}: full sync`,
      value: `${Math.round(full)} ms`,
      goal: '5000 ms',
    });
    const times: number[] = [];
    for (let change = 1; change <= CHANGES; change++) {
      const before = performance.now();
      await nft(table.change(new Map([[`ns/${change}`, rulesOf(change, change)]])));
      times.push(performance.now() - before);
    }
    times.sort((a, b) => a - b);
    const median = times[CHANGES / 2] ?? 0;
    report({ what: 'one endpoint changes, median', value: `${median.toFixed(1)} ms`, goal: '50 ms' });
  } finally {
    spawnSync('ip', ['netns', 'delete', NAMESPACE]);
  }
}

function rulesOf(i: number, version: number) {
  return objectsOf(planService(serviceOf(i), [sliceOf(i, version)], HERE).ports);
}

function serviceOf(i: number): Service {
  const clusterIP = `10.${96 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
  return {
    metadata: { namespace: 'ns', name: `s${i}` },
    spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
  };
}

function sliceOf(i: number, version: number): EndpointSlice {
  const endpoints = Array.from({ length: ENDPOINTS }, (_, e) => {
    const n = i * ENDPOINTS + e + version * 100_000;
    return { addresses: [`10.${128 + ((n >> 16) & 127)}.${(n >> 8) & 255}.${n & 255}`], conditions: { ready: true } };
  });
  return { addressType: 'IPv4', endpoints, ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] };
}

function nft(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('nsenter', [`--net=/run/netns/${NAMESPACE}`, 'nft', '-f', '-'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`nft: exit code ${code}`))));
    child.stdin.end(script);
  });
}

const QUERIES = 100_000;
const UNDER_WAY = 32;

async function measureNames(report: Report): Promise<void> {
  const zone = new Zone('cluster.local');
  for (let i = 0; i < SERVICES; i++) zone.setService(`ns/s${i}`, serviceRecords(serviceOf(i), [], 'cluster.local'));
  const upstream = new Upstream({ servers: [], clock, random });
  const server = await startDnsServer({
    zone,
    upstream,
    address: '127.0.0.1',
    port: 0,
    clock,
    random,
    log: silentLogger,
  });
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  try {
    const times: number[] = [];
    const sentAt = new Float64Array(0x10000);
    let sent = 0;
    const started = performance.now();
    await new Promise<void>((resolve) => {
      const send = () => {
        const id = sent % 0x10000;
        sentAt[id] = performance.now();
        socket.send(queryFor(`s${sent % SERVICES}.ns.svc.cluster.local`, id), server.port, '127.0.0.1');
        sent++;
      };
      socket.on('message', (message) => {
        times.push(performance.now() - (sentAt[message.readUInt16BE(0)] ?? 0));
        if (sent < QUERIES) send();
        else if (times.length === QUERIES) resolve();
      });
      for (let i = 0; i < UNDER_WAY; i++) send();
    });
    const seconds = (performance.now() - started) / 1000;
    times.sort((a, b) => a - b);
    const p99 = times[Math.floor(QUERIES * 0.99)] ?? 0;
    // The client is in the same process, and takes its share.
    report({ what: 'DNS queries', value: `${Math.round(QUERIES / seconds)}/s`, goal: '20000/s' });
    report({ what: `DNS, ${UNDER_WAY} under way, p99`, value: `${p99.toFixed(2)} ms`, goal: '5 ms' });
  } finally {
    socket.close();
    await server.close();
  }
}

function queryFor(name: string, id: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}
