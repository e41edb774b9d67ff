/** `npm run bench`: prints a table of figures beside what is to be reached. */
import { benchApiServer } from './apiserver.ts';

process.stdout.write(`${'what'.padEnd(42)}${'measured'.padStart(12)}${'goal'.padStart(12)}\n`);
await benchApiServer(({ what, value, goal }) => {
  process.stdout.write(`${what.padEnd(42)}${value.padStart(12)}${goal.padStart(12)}\n`);
});
