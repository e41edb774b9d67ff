/**
 * /metrics: what the kubelet tells of its own work, under the usual names.
 * Source: https://kubernetes.io/docs/reference/instrumentation/metrics/
 */
import type { Clock } from '../../lib/clock.ts';
import { type Family, Histogram, type Labels, type Sample } from '../../lib/exposition.ts';
import type { CallName } from '../cri/calls.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { KUBELET_VERSION } from '../node/version.ts';
import type { ObservedPod } from '../pods/observed.ts';

const OPERATION_BOUNDS = [0.005, 0.0125, 0.03, 0.08, 0.2, 0.5, 1.2, 3, 7.6, 19, 48];
const START_BOUNDS = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200];

/** What calls of the runtime are called in the metrics. */
const OPERATION: Partial<Readonly<Record<CallName, string>>> = {
  runPodSandbox: 'run_podsandbox',
  stopPodSandbox: 'stop_podsandbox',
  removePodSandbox: 'remove_podsandbox',
  podSandboxStatus: 'podsandbox_status',
  listPodSandbox: 'list_podsandbox',
  listPodSandboxStats: 'list_podsandbox_stats',
  imageFsInfo: 'image_fs_info',
};

const operationOf = (name: CallName) => OPERATION[name] ?? name.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

interface Operation {
  count: number;
  errors: number;
  readonly took: Histogram;
}

export class KubeletMetrics {
  readonly #nodeName: string;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #operations = new Map<string, Operation>();
  readonly #evictions = new Map<string, number>();
  readonly #starts = new Histogram(START_BOUNDS);

  constructor(nodeName: string, clock: Clock) {
    this.#nodeName = nodeName;
    this.#clock = clock;
    this.#startedAt = clock.now() / 1000;
  }

  /** The same runtime, with its calls counted. */
  counted(runtime: ContainerRuntime): ContainerRuntime {
    const clock = this.#clock;
    return {
      ...(runtime.tellsAll === undefined ? {} : { tellsAll: runtime.tellsAll }),
      call: async (name, request, options) => {
        const operation = this.#operation(operationOf(name));
        const began = clock.monotonic();
        operation.count++;
        try {
          return await runtime.call(name, request, options);
        } catch (error) {
          operation.errors++;
          throw error;
        } finally {
          operation.took.observe((clock.monotonic() - began) / 1000);
        }
      },
      subscribe: (...args) => runtime.subscribe(...args),
      close: () => runtime.close(),
    };
  }

  #operation(name: string): Operation {
    let operation = this.#operations.get(name);
    if (operation === undefined) {
      operation = { count: 0, errors: 0, took: new Histogram(OPERATION_BOUNDS) };
      this.#operations.set(name, operation);
    }
    return operation;
  }

  /** A pod was evicted because of this. */
  evicted(signal: string): void {
    this.#evictions.set(signal, (this.#evictions.get(signal) ?? 0) + 1);
  }

  /** A pod runs for the first time, so long after the kubelet first heard of it. */
  podStarted(ms: number): void {
    this.#starts.observe(ms / 1000);
  }

  /** @param pods that the runtime has; @param desired how many the node is to run */
  families(pods: Iterable<ObservedPod>, desired: number): Family[] {
    const states = new Map<string, number>();
    let running = 0;
    for (const { sandboxes, containers } of pods) {
      if (sandboxes.some((s) => s.ready)) running++;
      for (const { state } of containers) states.set(state, (states.get(state) ?? 0) + 1);
    }
    const operations = [...this.#operations];
    const ofOperations = (value: (operation: Operation) => number | Histogram): Sample[] =>
      operations.map(([operation_type, operation]) => ({ labels: { operation_type }, value: value(operation) }));
    const started = (name: string) => {
      const { count = 0, errors = 0 } = this.#operations.get(name) ?? {};
      return count - errors;
    };
    return [
      one('kubelet_node_name', 'gauge', "[ALPHA] The node's name. The count is always 1.", 1, { node: this.#nodeName }),
      one('kubelet_running_pods', 'gauge', '[BETA] Number of pods that have a running pod sandbox', running),
      one('kubelet_desired_pods', 'gauge', '[ALPHA] Number of pods that the node is to run.', desired, { static: '' }),
      family('kubelet_running_containers', 'gauge', '[BETA] Number of containers by state.', [
        ...[...states].map(([container_state, value]) => ({ labels: { container_state }, value })),
      ]),
      one('kubelet_started_pods_total', 'counter', '[ALPHA] Pods that were started.', started('run_podsandbox')),
      family('kubelet_started_containers_total', 'counter', '[ALPHA] Containers that were started.', [
        { labels: { container_type: 'container' }, value: started('start_container') },
      ]),
      family('kubelet_pod_start_duration_seconds', 'histogram', '[BETA] From first seen to running.', [
        { labels: {}, value: this.#starts },
      ]),
      family('kubelet_evictions', 'counter', '[BETA] Pods that were evicted, by signal.', [
        ...[...this.#evictions].map(([eviction_signal, value]) => ({ labels: { eviction_signal }, value })),
      ]),
      family('kubelet_runtime_operations_total', 'counter', '[BETA] Calls of the container runtime.', [
        ...ofOperations(({ count }) => count),
      ]),
      family('kubelet_runtime_operations_errors_total', 'counter', '[BETA] Calls of the runtime that failed.', [
        ...ofOperations(({ errors }) => errors),
      ]),
      family('kubelet_runtime_operations_duration_seconds', 'histogram', '[BETA] How long calls of the runtime took.', [
        ...ofOperations(({ took }) => took),
      ]),
      ...this.#ofProcess(),
    ];
  }

  #ofProcess(): Family[] {
    const { user, system } = process.cpuUsage();
    return [
      one('kubernetes_build_info', 'gauge', '[BETA] The version of the kubelet.', 1, {
        major: '1',
        minor: '36',
        git_version: KUBELET_VERSION,
        platform: `${process.platform}/${process.arch}`,
      }),
      one('process_cpu_seconds_total', 'counter', 'Processor time of the process.', (user + system) / 1e6),
      one('process_resident_memory_bytes', 'gauge', 'Memory of the process.', process.memoryUsage.rss()),
      one('process_start_time_seconds', 'gauge', 'When the kubelet was started.', this.#startedAt),
    ];
  }
}

function family(name: string, type: Family['type'], help: string, samples: readonly Sample[]): Family {
  return { name, type, help, samples };
}

function one(name: string, type: Family['type'], help: string, value: number, labels: Labels = {}): Family {
  return family(name, type, help, [{ labels, value }]);
}
