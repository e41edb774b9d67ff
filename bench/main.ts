/** `npm run bench`, or `npm run bench -- storage`: prints a table of figures beside what is to be reached. */
import { benchApiServer, type Figure } from './apiserver.ts';
import { benchKubelet } from './kubelet.ts';
import { benchNetwork } from './network.ts';
import { benchSimulated } from './simulated.ts';
import { benchStorage } from './storage.ts';

const BENCHES: Readonly<Record<string, (report: (figure: Figure) => void) => Promise<void>>> = {
  storage: benchStorage,
  apiserver: benchApiServer,
  simulated: benchSimulated,
  network: benchNetwork,
  kubelet: benchKubelet,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  process.stderr.write(`there is no bench ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}

process.stdout.write(`${'what'.padEnd(42)}${'measured'.padStart(12)}${'goal'.padStart(12)}\n`);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  await bench(({ what, value, goal }) => {
    process.stdout.write(`${what.padEnd(42)}${value.padStart(12)}${goal.padStart(12)}\n`);
  });
}
