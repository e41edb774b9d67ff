/** Where static pods come from: a folder (or file) of manifests, and a URL. */
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../apis/core/pod.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { Logger } from '../../lib/log.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import { podsOfManifest } from './manifest.ts';

export interface SourcesOptions {
  readonly configuration: Pick<
    KubeletConfiguration,
    'staticPodPath' | 'staticPodURL' | 'staticPodURLHeader' | 'fileCheckFrequency' | 'httpCheckFrequency'
  >;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** All that a source has now. */
  onPods(source: 'file' | 'http', pods: readonly Pod[]): void;
}

const URL_TIMEOUT_MS = 10_000;
const MAX_BYTES = 10 << 20;
/** An editor writes a file in several steps. */
const SETTLE_MS = 100;

/** Follows them until the signal. Resolves when each was looked at once. */
export async function followSources(options: SourcesOptions): Promise<void> {
  const { staticPodPath, staticPodURL } = options.configuration;
  const looks: Promise<void>[] = [];
  if (staticPodPath !== '') looks.push(new FolderSource(options, staticPodPath).start());
  if (staticPodURL !== '') looks.push(new UrlSource(options, staticPodURL).start());
  await Promise.all(looks);
}

class FolderSource {
  readonly #o: SourcesOptions;
  readonly #path: string;
  #looking = false;
  #again = false;
  /** by file: what is wrong with it, as it was told */
  readonly #faults = new Map<string, string>();
  /** by file: the pods that it had when it was good last */
  readonly #good = new Map<string, readonly Pod[]>();

  constructor(options: SourcesOptions, path: string) {
    this.#o = options;
    this.#path = path;
  }

  async start(): Promise<void> {
    const { configuration, clock, signal } = this.#o;
    await this.#look();
    this.#watch();
    const everyMs = parseDuration(configuration.fileCheckFrequency) || SETTLE_MS;
    const again = () =>
      clock.after(everyMs, () => {
        if (!signal.aborted) void this.#look().then(again);
      });
    again();
  }

  #watch(): void {
    const { clock, signal, log } = this.#o;
    try {
      const watcher = watch(this.#path, { signal }, () => {
        clock.after(SETTLE_MS, () => void this.#look());
      });
      watcher.on('error', (err) => log.warn('the folder of static pods cannot be watched', { err }));
    } catch {
      // It is not there yet: it is looked for now and then.
    }
  }

  async #look(): Promise<void> {
    this.#again = this.#looking;
    if (this.#looking) return;
    this.#looking = true;
    try {
      const pods = await this.#read();
      if (pods !== undefined) this.#o.onPods('file', pods);
    } catch (err) {
      this.#o.log.warn('the folder of static pods cannot be read', { err, path: this.#path });
    } finally {
      this.#looking = false;
    }
    if (this.#again && !this.#o.signal.aborted) await this.#look();
  }

  async #read(): Promise<Pod[]> {
    const { nodeName, clock, log } = this.#o;
    const files = await this.#files();
    const pods: Pod[] = [];
    for (const file of files) {
      try {
        const found = podsOfManifest(await readLimited(file), {
          kind: 'file',
          place: file,
          nodeName,
          now: clock.now(),
        });
        this.#faults.delete(file);
        this.#good.set(file, found);
        pods.push(...found);
      } catch (error) {
        const { message } = error as Error;
        if (this.#faults.get(file) !== message) log.warn('a manifest of a static pod is no good', { file, message });
        this.#faults.set(file, message);
        // What ran from it goes on until the file is good again, or gone.
        pods.push(...(this.#good.get(file) ?? []));
      }
    }
    for (const file of this.#good.keys()) if (!files.includes(file)) this.#good.delete(file);
    return pods;
  }

  async #files(): Promise<string[]> {
    const found = await stat(this.#path).catch(() => undefined);
    if (found === undefined) {
      await mkdir(this.#path, { recursive: true });
      return [];
    }
    if (!found.isDirectory()) return [this.#path];
    const entries = await readdir(this.#path, { withFileTypes: true });
    return entries
      .filter((e) => !e.name.startsWith('.') && (e.isFile() || e.isSymbolicLink()))
      .map((e) => join(this.#path, e.name))
      .sort();
  }
}

async function readLimited(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_BYTES) throw new Error(`the file is larger than ${MAX_BYTES} bytes`);
  return readFile(file, 'utf8');
}

/** @throws Error where it is too much */
async function limitedText({ body, url }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`${url} has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

class UrlSource {
  readonly #o: SourcesOptions;
  readonly #url: string;
  #fault = '';

  constructor(options: SourcesOptions, url: string) {
    this.#o = options;
    this.#url = url;
  }

  async start(): Promise<void> {
    const { configuration, clock, signal } = this.#o;
    const everyMs = parseDuration(configuration.httpCheckFrequency) || URL_TIMEOUT_MS;
    await this.#look();
    const again = () =>
      clock.after(everyMs, () => {
        if (!signal.aborted) void this.#look().then(again);
      });
    again();
  }

  async #look(): Promise<void> {
    const { nodeName, clock, log, signal, configuration, onPods } = this.#o;
    try {
      const headers = Object.entries(configuration.staticPodURLHeader).flatMap(([name, values]) =>
        values.map((value): [string, string] => [name, value]),
      );
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(URL_TIMEOUT_MS)]);
      const response = await fetch(this.#url, { headers, signal: timeout });
      if (!response.ok) throw new Error(`${this.#url} answered ${response.status}`);
      const text = await limitedText(response);
      onPods('http', podsOfManifest(text, { kind: 'http', place: this.#url, nodeName, now: clock.now() }));
      this.#fault = '';
    } catch (error) {
      const { message } = error as Error;
      if (this.#fault !== message && !signal.aborted) log.warn('the URL of static pods is no good', { message });
      this.#fault = message;
    }
  }
}
