/** A whole cluster in virtual time for tests of controllers. */
import { type Pod, pods } from '../../src/apis/core/pod.ts';
import type { PodTemplateSpec } from '../../src/apis/core/podTemplate.ts';
import { createCluster, type ProgramCluster, type ProgramClusterOptions } from '../../src/cluster/createCluster.ts';
import { ANNOTATION_PREFIX } from '../../src/kubelet/simulated/behavior.ts';
import type { Kind, KubeObject, Stored } from '../../src/machinery/kind.ts';

export const NAMESPACE = 'default';
const START = Date.UTC(2026, 0, 1);

export class Simulation {
  readonly cluster: ProgramCluster;

  private constructor(cluster: ProgramCluster) {
    this.cluster = cluster;
  }

  static async start(options: ProgramClusterOptions = {}): Promise<Simulation> {
    return new Simulation(await createCluster({ clock: 'virtual', startTime: START, nodes: 3, seed: 1, ...options }));
  }

  stop(): Promise<void> {
    return this.cluster.stop();
  }

  advance(time: string): Promise<void> {
    return this.cluster.advance(time);
  }

  create<T extends KubeObject>(kind: Kind<T>, name: string, rest: Omit<T, 'metadata'>): Promise<Stored<T>> {
    return this.cluster.client.create(kind, { metadata: { name, namespace: NAMESPACE }, ...rest } as unknown as T);
  }

  get<T extends KubeObject>(kind: Kind<T>, name: string): Promise<Stored<T>> {
    return this.cluster.client.get(kind, { namespace: NAMESPACE, name });
  }

  patch<T extends KubeObject>(kind: Kind<T>, name: string, patch: unknown): Promise<Stored<T>> {
    return this.cluster.client.patch(kind, { namespace: NAMESPACE, name }, 'merge', patch);
  }

  delete<T extends KubeObject>(kind: Kind<T>, name: string, gracePeriodSeconds?: number): Promise<unknown> {
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    return this.cluster.client.delete(kind, { namespace: NAMESPACE, name }, options);
  }

  /** The pods of one app, by name. */
  async pods(app: string): Promise<Stored<Pod>[]> {
    const { items } = await this.cluster.client.list(pods, { namespace: NAMESPACE, labelSelector: `app=${app}` });
    return [...items].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** `name image`, of pods that are not on their way out, by name. */
  async images(app: string): Promise<string[]> {
    const all = await this.pods(app);
    return all
      .filter((pod) => pod.metadata.deletionTimestamp === undefined)
      .map((pod) => `${pod.metadata.name} ${pod.spec?.containers[0]?.image}`);
  }

  /**
   * Lets time pass in small steps, and looks at the pods of an app after each.
   * @param look throws where something is not as it must be
   */
  async watching(app: string, time: { seconds: number; stepMs: number }, look: (all: Stored<Pod>[]) => void) {
    for (let ms = 0; ms < time.seconds * 1000; ms += time.stepMs) {
      await this.cluster.advance(time.stepMs);
      look(await this.pods(app));
    }
  }
}

/** A pod template of one container. @param behavior annotations of the simulated runtime, without their prefix */
export function template(
  app: string,
  image: string,
  behavior: Readonly<Record<string, string>> = {},
  spec: Partial<NonNullable<PodTemplateSpec['spec']>> = {},
): PodTemplateSpec {
  const annotations = Object.entries(behavior).map(([name, value]) => [`${ANNOTATION_PREFIX}${name}`, value]);
  return {
    metadata: { labels: { app }, annotations: Object.fromEntries(annotations) },
    spec: { containers: [{ name: 'main', image }], ...spec },
  };
}

export const isReady = (pod: Pod) =>
  pod.metadata?.deletionTimestamp === undefined &&
  pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
