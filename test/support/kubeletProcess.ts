/**
 * A kubelet in a process of its own, which may be made to die at a fault point:
 * `node kubeletProcess.ts <options as JSON>`. Writes a line when its server listens.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '../../src/client/createClient.ts';
import { createHttpTransport } from '../../src/client/http.ts';
import { connectCri } from '../../src/kubelet/cri/connect.ts';
import type { FaultPoint } from '../../src/kubelet/faultPoints.ts';
import { startKubelet } from '../../src/kubelet/kubelet.ts';
import { createLinuxMachine } from '../../src/kubelet/machine/linux.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { SystemRandom } from '../../src/lib/random.ts';

export interface KubeletProcessOptions {
  readonly dir: string;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly socket: string;
  /** of the API server */
  readonly port: number;
  readonly podCIDR: string;
  /** where it is to die */
  readonly dieAt?: FaultPoint;
}

const options = JSON.parse(process.argv[2] ?? '{}') as KubeletProcessOptions;
const { dir, nodeName, nodeIP, dieAt } = options;
const file = (name: string) => readFileSync(join(dir, 'pki', name), 'utf8');
const clock = new SystemClock();
const ca = file('ca.crt');
const transport = createHttpTransport({
  server: `https://127.0.0.1:${options.port}`,
  ca,
  cert: file('kubelet-client.crt'),
  key: file('kubelet-client.key'),
  clock,
});
const kubelet = await startKubelet({
  client: createClient(transport),
  nodeName,
  nodeIP,
  runtime: connectCri(options.socket, clock),
  machine: (sources) =>
    createLinuxMachine({
      rootDir: join(dir, 'kubelet'),
      podLogsDir: join(dir, 'logs'),
      containerdSocket: options.socket,
      sources,
    }),
  podLogsDir: join(dir, 'logs'),
  configuration: { evictionHard: { 'memory.available': '100Mi' }, imageGCHighThresholdPercent: 100 },
  serving: { cert: file('kubelet.crt'), key: file('kubelet.key'), clientCA: ca },
  port: 0,
  clusterDNS: '10.96.0.10',
  clusterDomain: 'cluster.local',
  podCIDRs: [options.podCIDR],
  clock,
  random: new SystemRandom(),
  log: silentLogger,
  signal: new AbortController().signal,
  at(point) {
    if (point === dieAt) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(`${kubelet.port}\n`);
