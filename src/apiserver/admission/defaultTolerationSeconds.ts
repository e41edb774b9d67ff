/**
 * Pods stay for five minutes on a node that is not ready or cannot be reached, unless they say otherwise.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaulttolerationseconds
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { AdmissionPlugin } from './plugin.ts';

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const TOLERATION_SECONDS = 300;

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  resources: new Set(['/pods']),
  mutate(request) {
    // Who replaces a pod's tolerations as a whole keeps those, too.
    if ((request.operation !== 'CREATE' && request.operation !== 'UPDATE') || request.subresource !== '') return;
    const { spec } = request.object as Pod;
    if (spec === undefined) return;
    for (const key of TAINTS) {
      const tolerated = (spec.tolerations ?? []).some(
        (t) => (!t.key || t.key === key) && (!t.effect || t.effect === 'NoExecute'),
      );
      if (tolerated) continue;
      const toleration = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS };
      spec.tolerations = [...(spec.tolerations ?? []), toleration];
    }
  },
};
