/** Simulated nodes: a kubelet each, on a runtime within the process, behind one server for all of them. */
import { services } from '../../apis/core/service.ts';
import type { Client } from '../../client/client.ts';
import { Informer } from '../../client/informer.ts';
import { apiError } from '../../machinery/status.ts';
import { createKubelet, type NodeKubelet, type NodeOptions } from '../kubelet.ts';
import type { PodViews, StreamingRuntime } from '../server/podView.ts';
import { type KubeletServer, type KubeletServerOptions, startKubeletServer } from '../server/server.ts';
import type { NodeReading } from '../stats/reading.ts';
import { addressesOf, podCIDROf } from './addresses.ts';
import type { BehaviorProgram } from './behavior.ts';
import { SimulatedMachine } from './machine.ts';
import { SimulatedRuntime } from './runtime.ts';

export interface SimulatedNodesOptions
  extends Pick<NodeOptions, 'nodeIP' | 'podLogsDir' | 'clusterDomain' | 'clock' | 'random' | 'log' | 'signal'> {
  readonly names: readonly string[];
  /** the API as the kubelet of that node sees it */
  clientFor(nodeName: string): Client;
  /** Absent: nobody can ask the nodes for logs. */
  readonly serving?: KubeletServerOptions['serving'];
  /** of each node, by resource */
  readonly capacity?: Readonly<Record<string, string>>;
  /** the program that says how containers behave, before what their annotations say */
  readonly program?: BehaviorProgram;
}

export interface SimulatedNodes {
  /** What a node uses; undefined for a node that is none of these. @throws RuntimeError */
  statistics(nodeName: string): Promise<NodeReading> | undefined;
  /** Resolves when all have ended. */
  readonly ended: Promise<void>;
}

const CAPACITY = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '1Ti' };
const MEMORY_BYTES = 256 * 2 ** 30;
const LABELS = { 'kubets.io/runtime': 'simulated' };

/** Resolves when their server listens. @throws the listen error */
export async function startSimulatedNodes(options: SimulatedNodesOptions): Promise<SimulatedNodes> {
  const { names, clock, random, log, signal, nodeIP, clientFor } = options;
  const [first] = names;
  if (first === undefined) return { statistics: () => undefined, ended: Promise.resolve() };
  const client = clientFor(first);
  const shared = new Informer({ client, kind: services, clock, random, log, signal });
  const kubelets = await Promise.all(
    names.map((nodeName, index) => {
      const runtime = new SimulatedRuntime({ nodeName, clock, nextAddress: addressesOf(index) });
      return createKubelet({
        ...options,
        // A thousand nodes that listen to one signal would each have to be found among all listeners.
        signal: AbortSignal.any([signal]),
        client: clientFor(nodeName),
        nodeName,
        nodeIP,
        runtime,
        machine: async (sources) =>
          new SimulatedMachine({
            nodeName,
            capacity: options.capacity ?? CAPACITY,
            memoryBytes: MEMORY_BYTES,
            runtime,
            sources,
            clock,
            ...(options.program === undefined ? {} : { program: options.program }),
          }),
        labels: LABELS,
        podCIDRs: [podCIDROf(index)],
        services: shared,
      });
    }),
  );
  const server = await serve(options, client, first, kubelets);
  const running = Promise.all(kubelets.map((kubelet) => kubelet.run(server?.port ?? 0)));
  const byName = new Map(names.map((name, i) => [name, kubelets[i]]));
  return {
    statistics: (nodeName) => byName.get(nodeName)?.statistics(),
    ended: running.then(() => server?.close()),
  };
}

async function serve(
  options: SimulatedNodesOptions,
  client: Client,
  nodeName: string,
  kubelets: readonly NodeKubelet[],
): Promise<KubeletServer | undefined> {
  const { serving, clock, log } = options;
  if (serving === undefined) return undefined;
  const views = viewsOf(kubelets);
  const host = '0.0.0.0';
  const [only, ...others] = kubelets;
  const told = only === undefined || others.length > 0 ? {} : { reports: only.reports };
  const shared = { client, clock, log, nodeName, views, serving, ...told };
  return startKubeletServer({ ...shared, runtime: NO_STREAMS, host, port: 0 });
}

function viewsOf(kubelets: readonly NodeKubelet[]): PodViews {
  return {
    find(namespace, name) {
      for (const { views } of kubelets) {
        const found = views.find(namespace, name);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    list: () => kubelets.flatMap(({ views }) => [...views.list()]),
    running: () => kubelets.flatMap(({ views }) => [...views.running()]),
  };
}

const refuse = async (): Promise<string> => {
  throw apiError('MethodNotAllowed', 'simulated containers have no processes: there is nothing to connect to');
};
const NO_STREAMS: StreamingRuntime = { exec: refuse, attach: refuse, portForward: refuse };
