import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { type ContainerRuntime, RuntimeError } from '../cri/runtime.ts';
import { RuntimeObserver } from '../pods/observed.ts';
import { fakeRuntime, runningContainer } from '../testing/fakeRuntime.ts';
import { rotateLogs, startLogRotation } from './rotation.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-rotation-'));
  mkdirSync(join(dir, 'default_web_uid/main'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const files = () => readdirSync(join(dir, 'default_web_uid/main')).sort();
const log = () => join(dir, 'default_web_uid/main/0.log');

async function setUp(reopen: () => void) {
  const clock = new VirtualClock();
  const runtime: ContainerRuntime = fakeRuntime({
    ...runningContainer({ uid: 'uid', name: 'web', namespace: 'default', container: 'main' }),
    reopenContainerLog: () => {
      reopen();
      return undefined;
    },
  });
  const observer = new RuntimeObserver(runtime, clock, silentLogger);
  await observer.look();
  const signal = new AbortController().signal;
  return { runtime, observer, podLogsDir: dir, clock, log: silentLogger, signal, maxBytes: 10, maxFiles: 3 };
}

it('moves a large log aside and keeps few of them', async () => {
  const options = await setUp(() => writeFileSync(log(), ''));
  writeFileSync(log(), 'short');
  await rotateLogs(options);
  expect(files()).toEqual(['0.log']);
  startLogRotation(options);
  for (let i = 0; i < 5; i++) {
    writeFileSync(log(), `long enough ${i}`);
    await options.clock.advance(10_000);
    await expect.poll(() => readFileSync(log(), 'utf8')).toBe('');
  }
  await expect.poll(files).toHaveLength(3);
  const [, older = '', newest = ''] = files();
  expect(newest).toMatch(/^0\.log\.20260101-0000\d\d$/);
  expect(readFileSync(join(dir, 'default_web_uid/main', newest), 'utf8')).toBe('long enough 4');
  expect(readFileSync(join(dir, 'default_web_uid/main', older), 'utf8')).toBe('long enough 3');
});

it('puts the log back where the runtime does not open another', async () => {
  const options = await setUp(() => {
    throw new RuntimeError(2, 'no');
  });
  writeFileSync(log(), 'long enough');
  await rotateLogs(options);
  expect(files()).toEqual(['0.log']);
});
