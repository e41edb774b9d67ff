/** `npm run fuzz -- [--seed N] [--runs N] [--kind PLURAL]…`: requests made by chance, until one shows a fault. */
import { parseArgs } from 'node:util';
import { SystemClock } from '../../src/lib/clock.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import { kindsNamed } from './properties.ts';
import { fuzz } from './run.ts';

const DEFAULT_RUNS = '1000000';
const { values } = parseArgs({
  options: { seed: { type: 'string' }, runs: { type: 'string' }, kind: { type: 'string', multiple: true } },
});
const clock = new SystemClock();
const seed = values.seed === undefined ? new SystemRandom().integer(2 ** 31) : Number(values.seed);
const requests = Number(values.runs ?? DEFAULT_RUNS);
const kinds = kindsNamed(values.kind ?? []);
const print = (line: string) => process.stdout.write(`${line}\n`);

if (!Number.isInteger(seed) || !Number.isInteger(requests) || kinds.length === 0) {
  print('usage: npm run fuzz -- [--seed N] [--runs N] [--kind PLURAL]…');
  process.exit(2);
}
print(`seed ${seed}, ${requests} requests, ${kinds.length} kinds`);
const begun = clock.monotonic();
let told = begun;
const { sent, failure } = await fuzz({
  seed,
  requests,
  kinds,
  onBatch(done) {
    if (clock.monotonic() - told < 10_000) return;
    told = clock.monotonic();
    print(`${done} requests, ${Math.round(done / ((told - begun) / 1000))} a second`);
  },
});
if (failure === undefined) print(`${sent} requests: no fault`);
else {
  const again = (values.kind ?? []).map((kind) => ` --kind ${kind}`).join('');
  print(`${failure.message}\n\nAgain: npm run fuzz -- --seed ${failure.seed} --runs 1${again}`);
}
process.exit(failure === undefined ? 0 : 1);
