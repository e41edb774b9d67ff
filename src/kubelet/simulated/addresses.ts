/** Addresses of simulated pods: a /24 for each node, out of the range that is for networks behind a carrier's NAT. */

/** Source: RFC 6598, 100.64.0.0/10 */
const FIRST_OCTET = 100;
const SECOND_OCTET = 64;
const NODES = 1 << 14;
const FIRST_HOST = 2;
const HOSTS = 253;

/** @param index of the node, from 0 @throws RangeError beyond 16384 nodes */
export function podCIDROf(index: number): string {
  if (index >= NODES) throw new RangeError(`there are addresses for ${NODES} simulated nodes only`);
  return `${prefixOf(index)}.0/24`;
}

/** Gives out a node's addresses in turn, so that one that was freed is not seen again soon. */
export function addressesOf(index: number): () => string {
  let next = 0;
  return () => `${prefixOf(index)}.${FIRST_HOST + (next++ % HOSTS)}`;
}

function prefixOf(index: number): string {
  return `${FIRST_OCTET}.${SECOND_OCTET + (index >> 8)}.${index & 255}`;
}
