/** Two pods on a node cannot have the same port of the host. */

import type { Plugin, Refusal } from '../plugin.ts';
import type { HostPort } from '../podInfo.ts';

const REFUSAL: Refusal = {
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  resolvable: true,
};
const EVERY_ADDRESS = '0.0.0.0';

export const nodePorts: Plugin = {
  name: 'NodePorts',
  retryAfter: ['nodeAdded', 'podGone'],
  filter({ hostPorts }) {
    if (hostPorts.length === 0) return undefined;
    return ({ pods }) => {
      const taken = pods.some((pod) => pod.hostPorts.some((theirs) => hostPorts.some((ours) => clash(ours, theirs))));
      return taken ? REFUSAL : undefined;
    };
  },
};

function clash(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === EVERY_ADDRESS || b.ip === EVERY_ADDRESS;
}
