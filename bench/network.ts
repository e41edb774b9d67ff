/**
 * Services in the kernel, in a network namespace of the bench's own, and the cluster's DNS over loopback.
 * The rules go through the kernel's tools, as the proxy writes them.
 */
import { spawnSync } from 'node:child_process';
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
import { type Run, runTool } from '../src/lib/runTool.ts';
import { IptablesRules } from '../src/proxy/iptables/rules.ts';
import { NftablesRules } from '../src/proxy/nftables/rules.ts';
import { planService, type ServicePort } from '../src/proxy/plan.ts';
import type { Rules } from '../src/proxy/rules.ts';
import type { Figure } from './apiserver.ts';

type Report = (figure: Figure) => void;

const SERVICES = 10_000;
const ENDPOINTS = 3;
const FEW = 10;
const CHANGES = 20;
const CONNECTIONS = 1_000;
const NAMESPACE = 'kubets-bench';
const RULES = { table: 'bench', podCIDR: '10.128.0.0/9', serviceCIDR: '10.96.0.0/12', bridge: 'none' };
const HERE = { nodeName: 'node', zone: undefined };
const clock = new SystemClock();
const random = new SystemRandom();

/** @param report is told each figure as it is there */
export async function benchNetwork(report: Report): Promise<void> {
  await measureRules(report);
  await measureNames(report);
}

async function measureRules(report: Report): Promise<void> {
  const modes = {
    nftables: (run: Run) => new NftablesRules(RULES, 4, run),
    iptables: (run: Run) => new IptablesRules(RULES, 4, run),
  };
  for (const [mode, rulesFor] of Object.entries(modes)) {
    spawnSync('ip', ['netns', 'add', NAMESPACE]);
    try {
      await measureMode(mode, rulesFor(inNamespace), report);
    } finally {
      spawnSync('ip', ['netns', 'delete', NAMESPACE]);
    }
  }
}

async function measureMode(mode: string, rules: Rules, report: Report): Promise<void> {
  const goals = mode === 'nftables';
  // The endpoints of the last service are the namespace itself, where something listens.
  const last = [FEW - 1, SERVICES - 1];
  const addresses = last.flatMap((i) => endpointsOf(i, 0)).map((ip) => ['addr', 'add', `${ip}/32`, 'dev', 'lo']);
  const routes = [['route', 'add', 'default', 'dev', 'lo']];
  for (const args of [['link', 'set', 'lo', 'up'], ...addresses, ...routes]) await inNamespace('ip', args);
  const few = new Map(Array.from({ length: FEW }, (_, i) => [`ns/${i}`, portsOf(i, 0)] as const));
  rules.change(few);
  await rules.replaceAll();
  const latencies = [await connectMs(FEW - 1)];
  rules.change(new Map(Array.from({ length: SERVICES }, (_, i) => [`ns/${i}`, portsOf(i, 0)] as const)));
  const started = performance.now();
  await rules.replaceAll();
  const full = performance.now() - started;
  report({
    what: `${mode}: ${SERVICES} services of ${ENDPOINTS}: full sync`,
    value: `${Math.round(full)} ms`,
    goal: goals ? '5000 ms' : '',
  });
  const times: number[] = [];
  for (let change = 1; change <= CHANGES; change++) {
    const before = performance.now();
    await rules.apply(rules.change(new Map([[`ns/${change}`, portsOf(change, change)]])));
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  const median = times[CHANGES / 2] ?? 0;
  report({
    what: `${mode}: one endpoint changes, median`,
    value: `${median.toFixed(1)} ms`,
    goal: goals ? '50 ms' : '',
  });
  latencies.push(await connectMs(SERVICES - 1));
  const [before = 0, after = 0] = latencies;
  report({
    what: `${mode}: a connection is there, with ${FEW} and ${SERVICES} services`,
    value: `${before.toFixed(3)} and ${after.toFixed(3)} ms`,
    goal: goals ? 'not growing' : '',
  });
}

/** Until a connection to a service is there, the median of many; by a program in the namespace. */
async function connectMs(service: number): Promise<number> {
  const address = serviceOf(service).spec?.clusterIP;
  const program = `
    const { connect, createServer } = require('node:net');
    const server = createServer((s) => s.destroy()).listen(8080, '0.0.0.0', async () => {
      const times = [];
      for (let i = 0; i < ${CONNECTIONS}; i++) {
        const started = performance.now();
        await new Promise((resolve, reject) => {
          const socket = connect(80, '${address}', () => { times.push(performance.now() - started); socket.destroy(); resolve(); });
          socket.on('error', reject);
        });
      }
      times.sort((a, b) => a - b);
      console.log(times[times.length / 2]);
      server.close();
    });`;
  return Number(await inNamespace(process.execPath, ['-e', program]));
}

const inNamespace: Run = (program, args, input) =>
  runTool('nsenter', [`--net=/run/netns/${NAMESPACE}`, program, ...args], input);

function portsOf(i: number, version: number): readonly ServicePort[] {
  return planService(serviceOf(i), [sliceOf(i, version)], HERE).ports;
}

function serviceOf(i: number): Service {
  const clusterIP = `10.${96 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
  return {
    metadata: { namespace: 'ns', name: `s${i}` },
    spec: { clusterIP, clusterIPs: [clusterIP], ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
  };
}

function sliceOf(i: number, version: number): EndpointSlice {
  const endpoints = endpointsOf(i, version).map((ip) => ({ addresses: [ip], conditions: { ready: true } }));
  return { addressType: 'IPv4', endpoints, ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] };
}

function endpointsOf(i: number, version: number): string[] {
  return Array.from({ length: ENDPOINTS }, (_, e) => {
    const n = i * ENDPOINTS + e + version * 100_000;
    return `10.${128 + ((n >> 16) & 127)}.${(n >> 8) & 255}.${n & 255}`;
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
