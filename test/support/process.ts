/** Programs that tests run: to their end, or beside the test until they are stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { SystemClock } from '../../src/lib/clock.ts';

const clock = new SystemClock();

export interface Outcome {
  /** -1 where a signal ended it */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** what it reads from stdin; without it stdin is empty */
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
  readonly cwd?: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Runs a program to its end, whatever its exit code is. @throws Error where it is not there or takes too long */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { env, cwd, input = '', timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', env, cwd });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8');
    const timer = clock.after(timeoutMs, () => {
      child.kill('SIGKILL');
      const said = `${text(stdout).slice(-2_000)}${text(stderr).slice(-2_000)}`;
      reject(new Error(`${program} ${args.join(' ')} took more than ${timeoutMs / 1000} s; it said: ${said}`));
    });
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program need not read all that it is given.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.once('error', (error) => {
      timer.cancel();
      reject(error);
    });
    child.once('close', (code) => {
      timer.cancel();
      resolve({ code: code ?? -1, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

/** A program that runs beside the test. */
export class Running {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  #output = '';

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(program, args, { stdio: 'pipe', env });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve(-1));
      this.#child.once('close', (code) => resolve(code ?? -1));
    });
  }

  /** stdout and stderr as they came */
  get output(): string {
    return this.#output;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  /** Waits until it has written what matches. */
  async said(what: RegExp, deadlineMs = 20_000): Promise<RegExpExecArray> {
    return eventually(() => {
      const found = what.exec(this.#output);
      if (found === null) throw new Error(`${what} is not in: ${this.#output.slice(-2_000)}`);
      return found;
    }, deadlineMs);
  }

  /** Its exit code when it ends by itself. */
  async ended(deadlineMs = 20_000): Promise<number> {
    const timer = clock.after(deadlineMs, () => this.#child.kill('SIGKILL'));
    try {
      return await this.#ended;
    } finally {
      timer.cancel();
    }
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended(5_000);
  }
}

const LOOK_EVERY_MS = 100;

/** Tries again until `attempt` does not throw; after the deadline its last error is thrown. */
export async function eventually<T>(attempt: () => T | Promise<T>, deadlineMs = 30_000): Promise<T> {
  const end = clock.monotonic() + deadlineMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (clock.monotonic() > end) {
        if (error instanceof Error) error.message = `after ${deadlineMs / 1000} s still: ${error.message}`;
        throw error;
      }
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}
