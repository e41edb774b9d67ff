import { expect, it } from 'vitest';
import { shutdownOf } from './logind.ts';

const signal = (member: string, data: unknown) =>
  JSON.stringify({ type: 'signal', member, payload: { type: 'b', data } });

it.each([
  ['it shuts down', signal('PrepareForShutdown', [true]), true],
  ['it does not after all', signal('PrepareForShutdown', [false]), false],
  ['it sleeps', signal('PrepareForSleep', [true]), undefined],
  ['another shape', signal('PrepareForShutdown', true), undefined],
  ['no JSON', 'Monitoring bus message stream.', undefined],
  ['nothing', 'null', undefined],
] as const)('%s', (_what, line, expected) => {
  expect(shutdownOf(line)).toBe(expected);
});
