import { expect, it } from 'vitest';
import { controllerOf, controllerReference } from './ownerReferences.ts';

it('names the controller of an object', () => {
  const owner = { metadata: { name: 'd', uid: '1' } };
  const reference = controllerReference(owner, { group: 'apps', version: 'v1', kind: 'Deployment' });
  expect(reference).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    name: 'd',
    uid: '1',
    controller: true,
    blockOwnerDeletion: true,
  });
  const other = { ...reference, uid: '2', controller: false };
  expect(controllerOf({ metadata: { ownerReferences: [other, reference] } })).toBe(reference);
  expect(controllerOf({ metadata: { ownerReferences: [other] } })).toBeUndefined();
  expect(controllerOf({})).toBeUndefined();
});
