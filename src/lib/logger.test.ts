import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { VirtualClock } from './clock.ts';
import { createLogger } from './logger.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubets-logger-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** As the API server's refusals are when they come over the network. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: object;

  constructor(status: object, options?: ErrorOptions) {
    super('it was refused', options);
    this.status = status;
  }
}

function written(fields: Record<string, unknown>): Record<string, Record<string, unknown>> {
  const file = join(dir, 'log');
  rmSync(file, { force: true });
  createLogger({ clock: new VirtualClock(), file }).child({ component: 'test' }).warn('no', fields);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>;
}

it('goes on where nothing can be written', () => {
  const log = createLogger({ clock: new VirtualClock(), file: '/dev/full' });
  for (let i = 0; i < 1000; i++) log.error('x'.repeat(10_000));
});

describe('an error in the log', () => {
  it('is told with its causes and with what it holds, frozen or not', () => {
    const status = Object.freeze({ kind: 'Status', message: 'no', details: Object.freeze({ name: 'x' }) });
    const { err, component } = written({ err: Object.freeze(new Refusal(status, { cause: new Error('deep') })) });
    expect(component).toBe('test');
    expect(err).toMatchObject({ type: 'Refusal', message: 'it was refused: deep', name: 'Refusal', status });
    expect(err?.stack).toMatch(/logger\.test\.ts[\s\S]*caused by: Error: deep/);
  });

  it('is written whatever it is', () => {
    expect(written({ err: 'text' }).err).toBe('text');
    expect(written({ err: undefined }).err).toBeUndefined();
    const circular = new Error('round');
    circular.cause = circular;
    Object.assign(circular, { itself: circular });
    expect(written({ err: circular }).err?.type).toBe('Error');
    expect(written({ err: new AggregateError([new Error('a'), 'b'], 'many') }).err).toMatchObject({
      message: 'many',
      errors: [{ message: 'a' }, 'b'],
    });
  });
});
