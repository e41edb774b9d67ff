/**
 * Reads a container's log in the format of the CRI: `<RFC 3339 time> <stdout|stderr> <P|F> <text>` a line,
 * where P is a part of a line and F its end.
 *
 * Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 */
import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** the last N lines only; absent means all */
  readonly tailLines?: number;
  /** lines from this moment on, in ms since the epoch */
  readonly sinceTime?: number;
  readonly limitBytes?: number;
  /** only this stream, of stdout and stderr */
  readonly stream?: 'stdout' | 'stderr';
}

const READ_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
const SPACE = 0x20;

interface Line {
  readonly time: string;
  readonly stream: string;
  readonly partial: boolean;
  readonly text: Buffer;
}

/** A line of the file; undefined where it is not in the format. */
export function parseLine(line: Buffer): Line | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first <= 0 || second < 0 || third < 0) return undefined;
  const tag = line.toString('latin1', second + 1, third);
  return {
    time: line.toString('latin1', 0, first),
    stream: line.toString('latin1', first + 1, second),
    partial: tag === 'P' || tag.startsWith('P:'),
    text: line.subarray(third + 1),
  };
}

/**
 * The log's text, piece by piece. With `follow` it ends only when `isOver` says that the container
 * will write no more and all that it wrote has been given, or the signal aborts.
 * @throws what opening the file throws (ENOENT where there is no log)
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  isOver: () => boolean,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let file = await open(path, 'r');
  try {
    let position = options.tailLines === undefined ? 0 : await tailPosition(file, options.tailLines);
    let budget = options.limitBytes ?? Number.POSITIVE_INFINITY;
    let rest = Buffer.alloc(0);
    let atLineStart = true;
    let changes = options.follow ? new FileChanges(path, clock, signal) : undefined;
    try {
      while (!signal.aborted && budget > 0) {
        const over = !options.follow || isOver();
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, position);
        if (bytesRead === 0) {
          const next = options.follow ? await successorOf(file, path) : undefined;
          if (next !== undefined) {
            await file.close();
            file = next;
            position = 0;
            changes?.close();
            changes = new FileChanges(path, clock, signal);
            continue;
          }
          if (over) return;
          await changes?.next();
          continue;
        }
        position += bytesRead;
        const block = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = block.lastIndexOf(NEWLINE) + 1;
        rest = Buffer.from(block.subarray(end));
        const shown = render(block.subarray(0, end), options, atLineStart);
        atLineStart = shown.atLineStart;
        if (shown.text.length === 0) continue;
        const piece = shown.text.subarray(0, Math.min(shown.text.length, budget));
        budget -= piece.length;
        yield piece;
      }
    } finally {
      changes?.close();
    }
  } finally {
    await file.close();
  }
}

/** The file that has taken the place of `file`: a log that grows large is moved aside. */
async function successorOf(file: FileHandle, path: string): Promise<FileHandle | undefined> {
  const next = await open(path, 'r').catch(() => undefined);
  if (next === undefined) return undefined;
  const [there, here] = await Promise.all([next.stat(), file.stat()]);
  if (there.ino !== here.ino || there.dev !== here.dev) return next;
  await next.close();
  return undefined;
}

/** Whole lines of the file as the reader wants to see them. */
function render(block: Buffer, options: LogOptions, lineStart: boolean): { text: Buffer; atLineStart: boolean } {
  const out: Buffer[] = [];
  let atLineStart = lineStart;
  let at = 0;
  while (at < block.length) {
    const end = block.indexOf(NEWLINE, at);
    const line = parseLine(block.subarray(at, end));
    at = end + 1;
    if (line === undefined) continue;
    if (options.stream !== undefined && line.stream !== options.stream) continue;
    if (options.sinceTime !== undefined && Date.parse(line.time) < options.sinceTime) continue;
    if (options.timestamps && atLineStart) out.push(Buffer.from(`${line.time} `));
    out.push(line.text);
    if (!line.partial) out.push(Buffer.from('\n'));
    atLineStart = !line.partial;
  }
  return { text: Buffer.concat(out), atLineStart };
}

/** Where the last `lines` whole lines begin, found from the end of the file. */
async function tailPosition(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let found = 0;
  let end = size;
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  while (end > 0) {
    const start = Math.max(0, end - READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (buffer[i] !== NEWLINE) continue;
      const lineEnd = start + i;
      if (lineEnd === size - 1) continue;
      if (await isPartialBefore(file, lineEnd)) continue;
      found++;
      if (found === lines) return lineEnd + 1;
    }
    end = start;
  }
  return 0;
}

/** Whether the line that ends at `lineEnd` is only a part of the one that follows. */
async function isPartialBefore(file: FileHandle, lineEnd: number): Promise<boolean> {
  const window = Math.min(lineEnd, 2 * READ_BYTES);
  const buffer = Buffer.allocUnsafe(window);
  await file.read(buffer, 0, window, lineEnd - window);
  const start = buffer.lastIndexOf(NEWLINE) + 1;
  return parseLine(buffer.subarray(start))?.partial ?? false;
}

/** A container that ends without a last word changes no file: so often the reader looks whether it has. */
const LOOK_AGAIN_MS = 500;

/** Waits for a file to be written to, or for the next look. */
class FileChanges {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #watcher;
  #changed = false;
  #wake: (() => void) | undefined;
  readonly #onAbort = () => this.#wake?.();

  constructor(path: string, clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    this.#watcher = watch(path, { persistent: false }, () => this.poke());
    this.#watcher.on('error', () => this.poke());
    signal.addEventListener('abort', this.#onAbort);
  }

  poke(): void {
    this.#changed = true;
    this.#wake?.();
  }

  async next(): Promise<void> {
    if (!this.#changed && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(LOOK_AGAIN_MS, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#changed = false;
  }

  close(): void {
    this.#watcher.close();
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#wake?.();
  }
}
