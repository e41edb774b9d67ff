/** How full the volumes of pods are: looked at when somebody asks, and not more often than once a minute. */
import type { Pod } from '../../apis/core/pod.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Machine } from '../machine/machine.ts';
import type { VolumeReading } from './reading.ts';

const MAX_AGE_MS = 60_000;
/** A file server may be away: so long it is waited for. */
const PATIENCE_MS = 2_000;

export class VolumeReadings {
  readonly #machine: Machine;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly at: number; readonly readings: readonly VolumeReading[] }>();

  constructor(machine: Machine, clock: Clock) {
    this.#machine = machine;
    this.#clock = clock;
  }

  async of(pods: readonly Pod[]): Promise<VolumeReading[]> {
    const now = this.#clock.monotonic();
    const there = new Set(pods.map((p) => p.metadata?.uid ?? ''));
    for (const uid of this.#known.keys()) if (!there.has(uid)) this.#known.delete(uid);
    const old = pods.filter((p) => now - (this.#known.get(p.metadata?.uid ?? '')?.at ?? -MAX_AGE_MS) >= MAX_AGE_MS);
    const patience = new Promise<void>((resolve) => this.#clock.after(PATIENCE_MS, resolve));
    await Promise.race([patience, Promise.all(old.map((pod) => this.#look(pod)))]);
    return [...this.#known.values()].flatMap(({ readings }) => readings);
  }

  async #look(pod: Pod): Promise<void> {
    const { uid: podUid = '', name = '', namespace = '' } = pod.metadata ?? {};
    const uses = await this.#machine.volumeUses(pod);
    const readings = uses.map((use) => ({ ...use, podUid, pod: name, namespace }));
    this.#known.set(podUid, { at: this.#clock.monotonic(), readings });
  }
}
