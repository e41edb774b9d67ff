import { expect, it } from 'vitest';
import { container, podOf } from '../testing/observedPods.ts';
import { PreparationError, refuseClaims } from './claims.ts';

const meta = { metadata: { name: 'p', namespace: 'ns', uid: 'u' } };
const main = container('main', { resources: { claims: [{ name: 'gpu', request: 'one' }] } });

it('a pod without claims starts', () => {
  expect(() => refuseClaims(podOf({ containers: [container('main')] }, meta))).not.toThrow();
});

it('a pod with claims does not start without its devices, and says why', () => {
  const resourceClaims = [
    { name: 'gpu', resourceClaimTemplateName: 'template' },
    { name: 'nic', resourceClaimName: 'shared' },
  ];
  const status = { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'p-gpu-abc' }] };
  const pod = podOf({ containers: [main], resourceClaims }, { ...meta, status });
  expect(() => refuseClaims(pod)).toThrow(PreparationError);
  expect(() => refuseClaims(pod)).toThrow('ResourceClaims ns/p-gpu-abc, ns/shared');
});
