/** The usage of a node as its kubelet tells it over the network, at /metrics/resource. */
import { request } from 'node:https';
import type { Target } from '../subresources/forward.ts';
import type { ContainerUsage, NodeUsage } from './usage.ts';

const NS_PER_SECOND = 1e9;
const MAX_BODY_BYTES = 32 << 20;
const LINE = /^([a-z_]+)(?:\{([^}]*)\})? ([^ ]+)(?: (\d+))?$/;
const LABEL = /([a-z_]+)="([^"\\]*)"/g;

/** @throws where the kubelet cannot be reached, or answers with a failure */
export async function readKubelet(target: Target, now: () => number, signal: AbortSignal): Promise<NodeUsage> {
  return parseResourceMetrics(await fetchText(target, signal), now());
}

function fetchText({ host, port, path, tls }: Target, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request({ host, port, path, ...tls, rejectUnauthorized: tls?.ca !== undefined, signal }, (res) => {
      const chunks: Buffer[] = [];
      let length = 0;
      res.on('error', reject);
      res.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_BODY_BYTES) req.destroy(new Error('the kubelet tells more than can be read'));
        else chunks.push(chunk);
      });
      res.on('end', () => {
        if (res.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Error(`the kubelet answered ${res.statusCode}`));
      });
    });
    req.on('error', reject);
    req.end();
  });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param now ms since the epoch: the time of what tells none */
export function parseResourceMetrics(text: string, now: number): NodeUsage {
  const node: Mutable<Omit<NodeUsage, 'containers'>> = { at: now, startedAt: 0, cpuNanoseconds: 0, workingSetBytes: 0 };
  const containers = new Map<string, Mutable<ContainerUsage>>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', number, timestamp] = LINE.exec(line) ?? [];
    const value = Number(number);
    if (name === undefined || !Number.isFinite(value)) continue;
    const at = timestamp === undefined ? now : Number(timestamp);
    switch (name) {
      case 'node_cpu_usage_seconds_total':
        node.cpuNanoseconds = value * NS_PER_SECOND;
        node.at = at;
        break;
      case 'node_memory_working_set_bytes':
        node.workingSetBytes = value;
        break;
      case 'container_cpu_usage_seconds_total': {
        const of = containerOf(containers, labels, now);
        of.cpuNanoseconds = value * NS_PER_SECOND;
        of.at = at;
        break;
      }
      case 'container_memory_working_set_bytes':
        containerOf(containers, labels, now).workingSetBytes = value;
        break;
      case 'container_start_time_seconds':
        containerOf(containers, labels, now).startedAt = value * 1000;
    }
  }
  return { ...node, containers: [...containers.values()] };
}

function containerOf(all: Map<string, Mutable<ContainerUsage>>, labels: string, at: number): Mutable<ContainerUsage> {
  let found = all.get(labels);
  if (found === undefined) {
    const by = new Map([...labels.matchAll(LABEL)].map(([, name = '', value = '']) => [name, value]));
    const [namespace = '', pod = '', container = ''] = ['namespace', 'pod', 'container'].map((name) => by.get(name));
    found = { namespace, pod, container, at, startedAt: 0, cpuNanoseconds: 0, workingSetBytes: 0 };
    all.set(labels, found);
  }
  return found;
}
