/** What the kubelet's server is given to tell of the node. */
import type { Pod } from '../../apis/core/pod.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { Machine } from '../machine/machine.ts';
import type { RuntimeObserver } from '../pods/observed.ts';
import type { NodeReports } from '../server/reports.ts';
import { cadvisorFamilies } from '../stats/cadvisorMetrics.ts';
import type { VolumeReading } from '../stats/reading.ts';
import { volumeFamilies } from '../stats/volumeMetrics.ts';
import type { KubeletMetrics } from './kubeletMetrics.ts';
import type { ProbeMetrics } from './probeMetrics.ts';

export interface NodeReportsInput {
  readonly configuration: KubeletConfiguration;
  readonly machine: Machine;
  readonly observer: RuntimeObserver;
  readonly metrics: KubeletMetrics;
  readonly probeMetrics: ProbeMetrics;
  readonly statistics: NodeReports['statistics'];
  pods(): readonly Pod[];
  /** how full their volumes are */
  volumes(): Promise<readonly VolumeReading[]>;
}

export function nodeReportsOf(input: NodeReportsInput): NodeReports {
  const { configuration, machine, observer, metrics, probeMetrics, statistics, pods, volumes } = input;
  return {
    configuration,
    statistics,
    async metrics() {
      const own = metrics.families(observer.all(), pods().length);
      return [...own, ...volumeFamilies(await volumes())];
    },
    probes: () => probeMetrics.families(),
    async cadvisor() {
      const reading = await statistics({ networks: true });
      const byUid = new Map(pods().map((pod) => [pod.metadata?.uid ?? '', pod]));
      return cadvisorFamilies({
        reading,
        capacity: machine.capacity,
        pod: (uid) => byUid.get(uid),
        cgroup: (path) => machine.cgroup(path),
      });
    },
  };
}
