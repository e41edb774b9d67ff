import { expect, test } from 'vitest';
import { required } from './fieldError.ts';
import { invalidObject } from './status.ts';

test('what is invalid is told, but not without end', () => {
  const of = (count: number) =>
    invalidObject(
      { group: 'apps', kind: 'Deployment' },
      'd',
      Array.from({ length: count }, (_, i) => required(`f${i}`)),
    );
  expect(of(1).message).toBe('Deployment.apps "d" is invalid: f0: Required value');
  expect(of(2).message).toBe('Deployment.apps "d" is invalid: [f0: Required value, f1: Required value]');
  expect(of(200_000).message).toMatch(/, f999: Required value, and 199000 more\]$/);
  expect(of(200_000).status.details?.causes).toHaveLength(1000);
});
