import { expect, test } from 'vitest';
import { componentOf } from './componentNames.ts';

test.each([
  ['system:kube-controller-manager', 'kube-controller-manager'],
  ['system:serviceaccount:kube-system:deployment-controller', 'kube-controller-manager'],
  ['system:kube-scheduler', 'kube-scheduler'],
  ['system:node:one', 'kubelet'],
  ['kubernetes-admin', 'kubets'],
])('what %s does is done by %s', (user, component) => {
  expect(componentOf(user)).toBe(component);
});
