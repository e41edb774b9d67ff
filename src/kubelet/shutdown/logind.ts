/** Hears from systemd that the machine is about to shut down, and holds it up for a while. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface LogindOptions {
  readonly signal: AbortSignal;
  /** The machine is about to shut down, or is not after all. */
  onShutdown(active: boolean): void;
  /** There is no systemd here that could tell. */
  onAbsent(error: Error): void;
}

const MATCH = "type='signal',interface='org.freedesktop.login1.Manager',member='PrepareForShutdown'";
const INHIBIT = [
  '--what=shutdown',
  '--mode=delay',
  '--who=kubelet',
  '--why=Kubelet needs time to handle node shutdown',
];

export class Logind {
  readonly #o: LogindOptions;
  #lock: ChildProcess | undefined;

  constructor(options: LogindOptions) {
    this.#o = options;
  }

  /** Listens until the signal. */
  start(): void {
    const { signal, onShutdown } = this.#o;
    this.hold();
    const monitor = this.#spawn('busctl', ['monitor', '--json=short', `--match=${MATCH}`], 'pipe');
    if (monitor.stdout !== null) {
      createInterface({ input: monitor.stdout }).on('line', (line) => {
        const active = shutdownOf(line);
        if (active !== undefined) onShutdown(active);
      });
    }
    signal.addEventListener(
      'abort',
      () => {
        monitor.kill();
        this.release();
      },
      { once: true },
    );
  }

  /** From now on a shutdown waits. */
  hold(): void {
    // The lock is held for as long as the command runs, which ends with its input.
    this.#lock ??= this.#spawn('systemd-inhibit', [...INHIBIT, 'cat'], 'ignore');
  }

  /** A shutdown need not wait any more. */
  release(): void {
    this.#lock?.stdin?.end();
    this.#lock = undefined;
  }

  #spawn(program: string, args: readonly string[], stdout: 'pipe' | 'ignore'): ChildProcess {
    const child = spawn(program, args, { stdio: ['pipe', stdout, 'ignore'] });
    child.once('error', (error) => this.#o.onAbsent(error));
    child.stdin?.on('error', () => {});
    return child;
  }
}

/** What a line of the monitor says; undefined: nothing of a shutdown. */
export function shutdownOf(line: string): boolean | undefined {
  try {
    const { member, payload } = JSON.parse(line) as { member?: string; payload?: { data?: unknown } };
    if (member !== 'PrepareForShutdown' || !Array.isArray(payload?.data)) return undefined;
    return payload.data[0] === true;
  } catch {
    return undefined;
  }
}
