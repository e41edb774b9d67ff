/** A run: batches of scenarios, each on a server of its own, so that a batch's seed tells all. */
import fc from 'fast-check';
import type { Kind } from '../../src/machinery/kind.ts';
import { check, PropertyError } from './properties.ts';
import { type FuzzRequest, scenario, shown } from './requests.ts';
import { FuzzServer } from './server.ts';

const SCENARIOS_PER_BATCH = 300;

export interface FuzzOptions {
  /** of the first batch; the next has the next number */
  readonly seed: number;
  /** how many requests to send, at least */
  readonly requests: number;
  readonly kinds: readonly Kind[];
  onBatch?(sent: number): void;
}

export interface Failure {
  /** of the batch that failed: with this seed it fails at once */
  readonly seed: number;
  readonly message: string;
}

/** Sends requests until there were enough, or one showed a fault. */
export async function fuzz(options: FuzzOptions): Promise<{ sent: number; failure?: Failure }> {
  let sent = 0;
  const lost: string[] = [];
  const onLost = (reason: unknown) =>
    lost.push(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
  process.on('unhandledRejection', onLost);
  process.on('uncaughtException', onLost);
  try {
    for (let seed = options.seed; sent < options.requests; seed++) {
      const message = await batch(seed, options.kinds, lost, (requests) => {
        sent += requests;
      });
      if (message !== undefined) return { sent, failure: { seed, message } };
      options.onBatch?.(sent);
    }
    return { sent };
  } finally {
    process.off('unhandledRejection', onLost);
    process.off('uncaughtException', onLost);
  }
}

/** Why the batch failed, with the fewest requests that show it. */
async function batch(
  seed: number,
  kinds: readonly Kind[],
  lost: string[],
  count: (requests: number) => void,
): Promise<string | undefined> {
  const server = await FuzzServer.start(seed);
  try {
    const property = fc.asyncProperty(scenario(kinds), async (requests) => {
      try {
        for (const request of requests) {
          await check(server, request, count);
          if (lost.length > 0) throw new PropertyError(`nobody caught: ${lost.splice(0).join('\n')}`);
        }
      } finally {
        await server.reset();
        server.takeErrors();
      }
    });
    const result = await fc.check(property, { seed, numRuns: SCENARIOS_PER_BATCH });
    if (!result.failed) return undefined;
    const [requests] = result.counterexample ?? [[]];
    const { errorInstance: error } = result;
    const why = error instanceof PropertyError ? error.message : error instanceof Error ? error.stack : String(error);
    return `${(requests as FuzzRequest[]).map(shown).join('\n')}\n\n${why}`;
  } finally {
    await server.stop();
  }
}
