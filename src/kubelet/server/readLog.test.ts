import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/clock.ts';
import { type LogOptions, readLog } from './readLog.ts';

const ALL: LogOptions = { follow: false, timestamps: false };
const line = (second: number, text: string, tag = 'F', stream = 'stdout') =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z ${stream} ${tag} ${text}\n`;

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-log-'));
  path = join(dir, '0.log');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function read(options: Partial<LogOptions>, isOver = () => true): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(
    path,
    { ...ALL, ...options },
    isOver,
    new SystemClock(),
    AbortSignal.timeout(10_000),
  )) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

describe('readLog', () => {
  const content = line(1, 'one') + line(2, 'two ', 'P') + line(2, 'parts') + line(3, 'three', 'F', 'stderr');

  it.each<[string, Partial<LogOptions>, string]>([
    ['everything, parts joined', {}, 'one\ntwo parts\nthree\n'],
    ['the last line', { tailLines: 1 }, 'three\n'],
    ['a line of parts counts once', { tailLines: 2 }, 'two parts\nthree\n'],
    ['more lines than there are', { tailLines: 100 }, 'one\ntwo parts\nthree\n'],
    ['no line', { tailLines: 0 }, ''],
    ['since a time', { sinceTime: Date.UTC(2026, 0, 1, 0, 0, 3) }, 'three\n'],
    ['one stream', { stream: 'stderr' }, 'three\n'],
    ['so many bytes', { limitBytes: 6 }, 'one\ntw'],
    [
      'with times',
      { timestamps: true, tailLines: 2 },
      '2026-01-01T00:00:02.000000001Z two parts\n2026-01-01T00:00:03.000000001Z three\n',
    ],
  ])('%s', async (_what, options, expected) => {
    writeFileSync(path, content);
    expect(await read(options)).toBe(expected);
  });

  it('follows until the container is over, and gives its last words', async () => {
    writeFileSync(path, line(1, 'one'));
    let over = false;
    const reading = read({ follow: true }, () => over);
    appendFileSync(path, line(2, 'two'));
    appendFileSync(path, line(3, 'last words'));
    over = true;
    expect(await reading).toBe('one\ntwo\nlast words\n');
  });

  it('reads tails of files of many blocks', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 50)}`);
    writeFileSync(path, lines.map((text) => line(1, text)).join(''));
    expect(await read({ tailLines: 12_345 })).toBe(`${lines.slice(-12_345).join('\n')}\n`);
  });
});
