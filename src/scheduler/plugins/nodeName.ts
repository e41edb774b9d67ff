/** A pod that names its node goes there or nowhere. */
import type { Plugin, Refusal } from '../plugin.ts';

const REFUSAL: Refusal = { reasons: ["node(s) didn't match the requested node name"], resolvable: false };

export const nodeName: Plugin = {
  name: 'NodeName',
  retryAfter: ['nodeAdded'],
  filter(pod) {
    const wanted = pod.spec.nodeName;
    if (!wanted) return undefined;
    return ({ name }) => (name === wanted ? undefined : REFUSAL);
  },
};
