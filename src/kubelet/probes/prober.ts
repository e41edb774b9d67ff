/**
 * Probes: asks containers whether they live, are ready, have started.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-probes
 */
import type { Container, Probe } from '../../apis/core/container.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';

export type ProbeType = 'liveness' | 'readiness' | 'startup';

/** One look: what came of it. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly message: string;
  /** It is good enough, but something is odd. */
  readonly warning?: string;
}

/** Asks once; never throws. */
export type ProbeAction = (probe: Probe, signal: AbortSignal) => Promise<ProbeResult>;

export interface ProbeEvents {
  /** A look failed. */
  unhealthy(type: ProbeType, message: string): void;
  /** A look succeeded, and yet something is odd. */
  warned(type: ProbeType, message: string): void;
  /** The verdict on the container changed. */
  changed(): void;
}

/** What was known of a container before this kubelet started. */
export interface EarlierVerdicts {
  readonly ready: boolean;
  readonly started: boolean;
}

/** The verdicts on one run of a container. */
export class ContainerProbes {
  readonly #probes: SingleProbe[] = [];
  readonly #startup: SingleProbe | undefined;

  constructor(
    container: Container,
    startedAt: number,
    act: ProbeAction,
    events: ProbeEvents,
    clock: Clock,
    random: Random,
    earlier?: EarlierVerdicts,
  ) {
    const make = (type: ProbeType, probe: Probe | undefined, verdict: true | undefined) => {
      if (probe === undefined) return undefined;
      const single = new SingleProbe(type, probe, startedAt, act, events, clock, random, () => this.started, verdict);
      this.#probes.push(single);
      return single;
    };
    this.#startup = make('startup', container.startupProbe, earlier?.started === true ? true : undefined);
    make('liveness', container.livenessProbe, undefined);
    make('readiness', container.readinessProbe, earlier?.ready === true ? true : undefined);
  }

  /** The startup probe has succeeded, or there is none. */
  get started(): boolean {
    return this.#startup === undefined || this.#startup.verdict === true;
  }

  get ready(): boolean {
    return this.started && this.#probes.every((p) => p.type !== 'readiness' || p.verdict === true);
  }

  /** Which of the probes that decide about its life failed too often: the container is to be killed. */
  get failure(): 'liveness' | 'startup' | undefined {
    const failed = this.#probes.find((p) => p.type !== 'readiness' && p.verdict === false);
    return failed?.type === 'readiness' ? undefined : failed?.type;
  }

  /** Its pod ends: whether it is ready is all that is still asked. */
  stopLiveness(): void {
    for (const probe of this.#probes) if (probe.type !== 'readiness') probe.stop();
  }

  stop(): void {
    for (const probe of this.#probes) probe.stop();
  }
}

class SingleProbe {
  readonly type: ProbeType;
  readonly #probe: Probe;
  readonly #act: ProbeAction;
  readonly #events: ProbeEvents;
  readonly #clock: Clock;
  readonly #started: () => boolean;
  readonly #abort = new AbortController();
  #timer: Timer;
  /** undefined until the threshold is first reached */
  verdict: boolean | undefined;
  #run = 0;
  #last: boolean | undefined;

  constructor(
    type: ProbeType,
    probe: Probe,
    startedAt: number,
    act: ProbeAction,
    events: ProbeEvents,
    clock: Clock,
    random: Random,
    started: () => boolean,
    verdict: true | undefined,
  ) {
    this.verdict = verdict;
    this.#last = verdict;
    this.type = type;
    this.#probe = probe;
    this.#act = act;
    this.#events = events;
    this.#clock = clock;
    this.#started = started;
    const due = startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    // A kubelet that starts again spreads the probes of its many containers.
    const spread = due < -this.#periodMs ? random.float() * Math.min(this.#periodMs, 1000) : 0;
    this.#timer = clock.after(Math.max(0, due, spread), () => void this.#look());
  }

  get #periodMs(): number {
    return (this.#probe.periodSeconds ?? 10) * 1000;
  }

  stop(): void {
    this.#abort.abort();
    this.#timer.cancel();
  }

  async #look(): Promise<void> {
    // Liveness and readiness wait for the startup probe, which is done after its first success.
    const idle = this.type === 'startup' ? this.verdict === true : !this.#started();
    if (this.type === 'startup' && this.verdict === true) return;
    if (!idle) {
      const result = await this.#act(this.#probe, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#count(result);
    }
    if (this.type !== 'readiness' && this.verdict === false) return;
    this.#timer = this.#clock.after(idle ? Math.min(this.#periodMs, 1000) : this.#periodMs, () => void this.#look());
  }

  #count(result: ProbeResult): void {
    if (!result.ok) this.#events.unhealthy(this.type, result.message);
    else if (result.warning !== undefined) this.#events.warned(this.type, result.warning);
    this.#run = result.ok === this.#last ? this.#run + 1 : 1;
    this.#last = result.ok;
    const needed = result.ok ? (this.#probe.successThreshold ?? 1) : (this.#probe.failureThreshold ?? 3);
    if (this.#run < needed || this.verdict === result.ok) return;
    // Not ready is what a container is until it says otherwise.
    const news = this.verdict !== undefined || result.ok || this.type !== 'readiness';
    this.verdict = result.ok;
    if (news) this.#events.changed();
  }
}
