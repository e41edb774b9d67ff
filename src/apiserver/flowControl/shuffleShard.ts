/**
 * Shuffle sharding: each flow gets a few of the queues, by a hash of its name, so that a flow that floods its own
 * hardly ever floods all of another's.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#shuffle-sharding
 */
import { createHash } from 'node:crypto';

/** The queues of a flow: `hand` different numbers below `deck`. */
export function dealHand(flow: string, deck: number, hand: number): number[] {
  let entropy = createHash('sha256').update(flow).digest().readBigUInt64BE(0);
  const dealt: number[] = [];
  for (let i = 0; i < Math.min(hand, deck); i++) {
    const left = BigInt(deck - i);
    let card = Number(entropy % left);
    entropy /= left;
    // The card-th of those that are left.
    for (const taken of [...dealt].sort((a, b) => a - b)) if (taken <= card) card++;
    dealt.push(card);
  }
  return dealt;
}
