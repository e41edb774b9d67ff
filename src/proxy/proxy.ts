/** The proxy of a node: keeps the kernel's rules as the services and endpoints of the API want them. */
import { spawn } from 'node:child_process';
import { services } from '../apis/core/service.ts';
import { endpointSlices } from '../apis/discovery/endpointSlice.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { type Ruleset, renderRemoval, renderRules } from './nftables.ts';
import { planServices } from './plan.ts';

export interface ProxyOptions {
  readonly client: Client;
  readonly rules: Ruleset;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends the proxy; the rules stay, so that connections go on */
  readonly signal: AbortSignal;
}

/** Changes that come together are written together. */
const GATHER_MS = 20;
const RETRY_MS = 1_000;

/** Resolves when the first rules are in the kernel. */
export async function startProxy(options: ProxyOptions): Promise<void> {
  const { client, clock, random, signal } = options;
  const log = options.log.child({ component: 'proxy' });
  const informers = new Informers({ client, clock, random, log, signal });
  const serviceInformer = informers.of(services);
  const sliceInformer = informers.of(endpointSlices);
  let written = '';
  let due = false;
  let work: Promise<void> = Promise.resolve();

  const sync = async () => {
    const text = renderRules(options.rules, planServices(serviceInformer.list(), sliceInformer.list()));
    if (text === written || signal.aborted) return;
    try {
      await nft(text);
      written = text;
    } catch (error) {
      log.error('the rules could not be written; they are tried again', { err: error });
      changed(RETRY_MS);
    }
  };
  const changed = (ms = GATHER_MS) => {
    if (due) return;
    due = true;
    clock.after(ms, () => {
      due = false;
      work = work.then(sync);
    });
  };
  await Promise.all([serviceInformer.synced, sliceInformer.synced]);
  await sync();
  for (const informer of [serviceInformer, sliceInformer]) {
    informer.handle({ onAdd: () => changed(), onUpdate: () => changed(), onDelete: () => changed() });
  }
}

/** Takes a cluster's rules out of the kernel. */
export function removeRules(table: string): Promise<void> {
  return nft(renderRemoval(table));
}

/** Runs one script as a whole. @throws Error with what nft says */
function nft(script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 2000) said += chunk.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`nft: ${said.trim() || `exit ${code}`}`)),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(script);
  });
}
