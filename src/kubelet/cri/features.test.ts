import { expect, it } from 'vitest';
import { RuntimeFeatures } from './features.ts';

it('says nothing of a runtime that says nothing', () => {
  const features = new RuntimeFeatures();
  features.update({});
  expect([features.ofNode(), features.supplementalGroupsPolicy, features.recursiveReadOnly(undefined)]).toEqual([
    {},
    false,
    false,
  ]);
});

it('tells handlers apart', () => {
  const features = new RuntimeFeatures();
  features.update({
    runtime_handlers: [
      { features: { recursive_read_only_mounts: true } },
      { name: 'vm', features: { user_namespaces: true } },
    ],
    features: { supplemental_groups_policy: true },
  });
  expect([undefined, '', 'vm', 'none'].map((name) => features.recursiveReadOnly(name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(features.supplementalGroupsPolicy).toBe(true);
  expect(features.ofNode()).toEqual({
    runtimeHandlers: [
      { name: '', features: { recursiveReadOnlyMounts: true, userNamespaces: false } },
      { name: 'vm', features: { recursiveReadOnlyMounts: false, userNamespaces: true } },
    ],
    features: { supplementalGroupsPolicy: true },
  });
});
