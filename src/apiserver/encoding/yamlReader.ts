/**
 * YAML of any size. Reading it takes up to a thousand times as long as reading JSON, and can take for ever: what is more
 * than a few lines is read in a thread of its own, which has only so much time and memory.
 */
import { Worker } from 'node:worker_threads';
import { Gate } from '../../lib/gate.ts';
import { apiError } from '../../machinery/status.ts';
import type { YamlBody } from '../verbs/yamlBody.ts';
import type { YamlRead } from './yamlWorker.ts';

/** Measured: the worst of this size takes a tenth of a second, most takes a few milliseconds. */
const AT_ONCE_BYTES = 8 << 10;
const MAX_THREADS = 2;
const MAX_MEGABYTES = 768;

interface Limits {
  /** Real time, whatever the clock says: it is real work. The largest text of plain lines takes half of it. */
  readonly timeMs: number;
  /** how many texts may wait for their turn */
  readonly waiting: number;
}

const LIMITS: Limits = { timeMs: 12_000, waiting: 32 };

export class YamlReader {
  readonly #limits: Limits;
  readonly #threads = new Gate(MAX_THREADS);

  constructor(limits: Partial<Limits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** @throws YamlError, ApiError TooManyRequests */
  async read(bytes: Buffer): Promise<YamlBody> {
    const { readYaml, YamlError } = await import('../verbs/yamlBody.ts');
    const text = bytes.toString('utf8');
    if (bytes.length <= AT_ONCE_BYTES) return readYaml(text);
    const { timeMs, waiting } = this.#limits;
    if (this.#threads.waiting >= waiting && !this.#threads.isOpen) {
      throw apiError('TooManyRequests', 'too much YAML is being read at once, please try again later', {
        retryAfterSeconds: 1,
      });
    }
    const read = await this.#threads.pass(() => inThread(text, timeMs));
    if ('fault' in read) throw new YamlError(read.fault);
    return read.body;
  }
}

function inThread(text: string, timeLimitMs: number): Promise<YamlRead> {
  const file = import.meta.url.endsWith('.ts') ? './yamlWorker.ts' : './yamlWorker.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: text,
    resourceLimits: { maxOldGenerationSizeMb: MAX_MEGABYTES },
    // What the library thinks of the text is for nobody.
    stderr: true,
  });
  const tooMuch: YamlRead = { fault: 'it takes too long to read' };
  return new Promise<YamlRead>((resolve, reject) => {
    const timeout = AbortSignal.timeout(timeLimitMs);
    timeout.onabort = () => resolve(tooMuch);
    worker.once('message', resolve);
    worker.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve({ fault: 'it takes too much memory to read' });
      else reject(error);
    });
    worker.once('exit', () => resolve(tooMuch));
  }).finally(() => worker.terminate());
}
