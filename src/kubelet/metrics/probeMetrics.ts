/** /metrics/probes: how often probes of each container succeeded and failed, and how long they took. */
import { type Family, Histogram, type Labels } from '../../lib/exposition.ts';

/** What was probed. */
export interface Probed {
  readonly uid: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly type: 'Liveness' | 'Readiness' | 'Startup';
}

interface Series {
  readonly labels: Labels;
  successful: number;
  failed: number;
  readonly took: Histogram;
}

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class ProbeMetrics {
  /** by pod, then by container and kind of probe */
  readonly #pods = new Map<string, Map<string, Series>>();

  observe({ uid, namespace, pod, container, type }: Probed, ok: boolean, seconds: number): void {
    const ofPod = this.#pods.get(uid) ?? new Map<string, Series>();
    this.#pods.set(uid, ofPod);
    const key = `${container}/${type}`;
    let series = ofPod.get(key);
    if (series === undefined) {
      const labels = { container, namespace, pod, pod_uid: uid, probe_type: type };
      series = { labels, successful: 0, failed: 0, took: new Histogram(BOUNDS) };
      ofPod.set(key, series);
    }
    if (ok) series.successful++;
    else series.failed++;
    series.took.observe(seconds);
  }

  /** A pod is gone. */
  forget(uid: string): void {
    this.#pods.delete(uid);
  }

  families(): Family[] {
    const all = [...this.#pods.values()].flatMap((series) => [...series.values()]);
    return [
      {
        name: 'prober_probe_total',
        help: '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.',
        type: 'counter',
        samples: all.flatMap(({ labels, successful, failed }) =>
          [
            { labels: { ...labels, result: 'successful' }, value: successful },
            { labels: { ...labels, result: 'failed' }, value: failed },
          ].filter(({ value }) => value > 0),
        ),
      },
      {
        name: 'prober_probe_duration_seconds',
        help: '[ALPHA] Duration in seconds for a probe response.',
        type: 'histogram',
        samples: all.map(({ labels: { pod_uid: _uid, ...labels }, took }) => ({ labels, value: took })),
      },
    ];
  }
}
