/** Runs wrk, the load generator, and reads what it reports. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Lua: what each request is; wrk repeats a GET of the URL where absent */
  readonly script?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly failed: number;
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };

/** @throws Error where wrk is not there or says something unexpected */
export async function wrk(load: Load): Promise<LoadResult> {
  const dir = await mkdtemp(join(tmpdir(), 'kubets-wrk-'));
  try {
    const script = join(dir, 'load.lua');
    await writeFile(script, load.script ?? '');
    const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--latency', '-s', script];
    for (const [name, value] of Object.entries(load.headers ?? {})) args.push('-H', `${name}: ${value}`);
    return read(await run('wrk', [...args, load.url]));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) =>
      reject(new Error(`${command} cannot be started (apt-get install wrk): ${error.message}`)),
    );
    child.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

function read(text: string): LoadResult {
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  if (Number.isNaN(perSecond)) throw new Error(`wrk said: ${text}`);
  const latency = (share: string) => {
    const [, value = '', unit = ''] = new RegExp(`\\s${share}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? [];
    return Number(value) * (UNIT_MS[unit] ?? Number.NaN);
  };
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  return { perSecond, medianMs: latency('50'), p99Ms: latency('99'), failed };
}
