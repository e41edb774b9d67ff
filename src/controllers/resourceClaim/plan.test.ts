import { describe, expect, it } from 'vitest';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type ResourceClaim, resourceClaims } from '../../apis/resource/resourceClaim.ts';
import { type ResourceClaimTemplate, resourceClaimTemplates } from '../../apis/resource/resourceClaimTemplate.ts';
import type { Client } from '../../client/client.ts';
import { formatTime } from '../../machinery/time.ts';
import { START, TinyWorld } from '../testing/objects.ts';
import { baseName, planPodClaims } from './podClaims.ts';
import { planRelease } from './release.ts';

const PROTECTION = 'resource.kubernetes.io/delete-protection';

function setUp(spec: Partial<NonNullable<Pod['spec']>> = {}) {
  const world = new TinyWorld();
  const claims = [{ name: 'gpu', resourceClaimTemplateName: 'gpus' }];
  const pod = () =>
    world.get(pods, 'p') ??
    world.put<Pod>(pods, {
      metadata: { name: 'p', uid: 'pod' },
      spec: { containers: [], resourceClaims: claims, ...spec },
    });
  const step = () => {
    const actions = planPodClaims({
      pod: pod(),
      owned: world.owned(resourceClaims, 'pod'),
      claim: (name) => world.get(resourceClaims, name),
      template: (name) => world.get(resourceClaimTemplates, name),
    });
    world.carryOut({ actions });
    return actions.map((a) => a.verb);
  };
  const addTemplate = () =>
    world.put<ResourceClaimTemplate>(resourceClaimTemplates, {
      metadata: { name: 'gpus' },
      spec: {
        metadata: { labels: { team: 'a' } },
        spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] } },
      },
    });
  return { world, pod, step, addTemplate };
}

describe('the claims of a pod', () => {
  it('are made from templates once, and told in its status', () => {
    const { world, pod, step, addTemplate } = setUp();
    expect(step()).toEqual(['event']);
    expect(world.events).toEqual([
      expect.stringMatching(/^FailedResourceClaimCreation: PodResourceClaim gpu: .*"gpus"/),
    ]);
    addTemplate();
    expect(step()).toEqual(['create']);
    const [claim] = world.list(resourceClaims);
    expect(claim?.metadata).toMatchObject({
      name: expect.stringMatching(/^p-gpu-/),
      labels: { team: 'a' },
      annotations: { 'resource.kubernetes.io/pod-claim-name': 'gpu' },
      ownerReferences: [{ kind: 'Pod', uid: 'pod', controller: true, blockOwnerDeletion: true }],
    });
    expect(step()).toEqual(['patch']);
    expect(pod().status?.resourceClaimStatuses).toEqual([{ name: 'gpu', resourceClaimName: claim?.metadata.name }]);
    expect(step()).toEqual([]);
    world.remove(resourceClaims, claim?.metadata.name ?? '');
    expect(step()).toEqual(['create']);
  });

  it('are reserved for a pod that is on a node, once they have devices', () => {
    const { world, step } = setUp({ nodeName: 'n1', resourceClaims: [{ name: 'gpu', resourceClaimName: 'shared' }] });
    const put = (status: ResourceClaim['status']) =>
      world.put<ResourceClaim>(resourceClaims, { metadata: { name: 'shared' }, spec: {}, ...(status && { status }) });
    put({});
    expect(step()).toEqual([]);
    put({ allocation: {} });
    expect(step()).toEqual(['update']);
    expect(world.get(resourceClaims, 'shared')?.status?.reservedFor).toEqual([
      { resource: 'pods', name: 'p', uid: 'pod' },
    ]);
    expect(step()).toEqual([]);
  });

  it.each([
    ['web', 'gpu', 'web-gpu-'],
    ['a'.repeat(60), 'b'.repeat(30), `${'a'.repeat(37)}-${'b'.repeat(18)}`],
  ])('are named %s %s: %s', (pod, claim, name) => {
    expect(baseName(pod, claim)).toBe(name);
  });
});

describe('a claim', () => {
  const consumer = (name: string) => ({ resource: 'pods', name, uid: name });
  const plan = (claim: ResourceClaim, all: readonly Pod[]) => {
    const world = new TinyWorld();
    const stored = world.put<ResourceClaim>(resourceClaims, { ...claim, metadata: { name: 'c', ...claim.metadata } });
    for (const pod of all) world.put<Pod>(pods, pod);
    return planRelease({ claim: stored, pod: (name) => world.get(pods, name), client: {} as Client });
  };
  const pod = (name: string, phase = 'Running', more: Pod['metadata'] = {}): Pod => ({
    metadata: { name, uid: name, ...more },
    spec: { containers: [], ...(phase === '' ? {} : { nodeName: 'n1' }) },
    status: { phase },
  });
  const held = (names: readonly string[], metadata: ResourceClaim['metadata'] = {}): ResourceClaim => ({
    metadata: { finalizers: [PROTECTION], ...metadata },
    spec: {},
    status: { allocation: {}, reservedFor: names.map(consumer) },
  });
  const going = { deletionTimestamp: formatTime(START) };
  const owner = { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'a', controller: true }] };

  it('stays with pods that run', () => {
    expect(plan(held(['a', 'b']), [pod('a'), pod('b', 'Pending')])).toEqual([]);
  });

  it('is let go of by those that are done, and keeps its devices for the others', () => {
    const [action] = plan(held(['a', 'b', 'c']), [pod('a', 'Succeeded'), pod('b'), pod('c', '', going)]);
    expect(action).toMatchObject({ verb: 'update', subresource: 'status', object: { status: { allocation: {} } } });
    expect((action as unknown as { object: ResourceClaim }).object.status?.reservedFor).toEqual([consumer('b')]);
  });

  it('loses its devices with the last, then what holds it', () => {
    const actions = plan(held(['a']), [pod('a', 'Failed')]);
    expect(actions.map((a) => a.verb)).toEqual(['update', 'work']);
    const { status } = (actions[0] as unknown as { object: ResourceClaim }).object;
    expect(status).toEqual({ reservedFor: [] });
  });

  it('that nobody used yet keeps its devices, until it is deleted', () => {
    expect(plan(held([]), [])).toEqual([]);
    expect(plan(held([], going), []).map((a) => a.verb)).toEqual(['update', 'work']);
  });

  it('that was made for a pod goes when the pod is done', () => {
    expect(plan(held(['a'], owner), [pod('a', 'Succeeded')]).map((a) => a.verb)).toEqual(['update', 'work', 'delete']);
    expect(plan({ metadata: owner, spec: {} }, [pod('a')])).toEqual([]);
    expect(plan({ metadata: owner, spec: {} }, [pod('a', 'Running', { uid: 'other' })]).map((a) => a.verb)).toEqual([
      'delete',
    ]);
  });
});
