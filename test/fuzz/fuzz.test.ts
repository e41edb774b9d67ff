/** Ten thousand requests made by chance; `npm run fuzz` makes a million. */
import { expect, it } from 'vitest';
import { kindsNamed } from './properties.ts';
import { fuzz } from './run.ts';

/** The same requests each time: what fails here fails for everybody. */
const SEED = 2_026;
const REQUESTS = 10_000;

it('no request shows a fault', { timeout: 120_000 }, async () => {
  const { failure } = await fuzz({ seed: SEED, requests: REQUESTS, kinds: kindsNamed([]) });
  expect(failure === undefined ? '' : `seed ${failure.seed}:\n${failure.message}`).toBe('');
});
