import { describe, expect, it } from 'vitest';
import type { PersistentVolume, PersistentVolumeSpec } from '../../apis/core/persistentVolume.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../../apis/core/volumeBinding.ts';
import type { PersistentVolumeClaimSpec } from '../../apis/core/volumes.ts';
import type { StorageClass } from '../../apis/storage/storageClass.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { Plan } from '../loop.ts';
import { type ClaimWorld, planClaim, planVolume } from './plan.ts';

type Volume = Stored<PersistentVolume>;
type Claim = Stored<PersistentVolumeClaim>;

const NOW = Date.UTC(2026, 0, 1);
const DONE = { [BIND_COMPLETED]: 'yes' };
const REF = { namespace: 'shop', name: 'data', uid: 'claim-1' };

function claim(
  spec: Partial<PersistentVolumeClaimSpec> & { size?: string } = {},
  annotations: Record<string, string> = {},
  phase = 'Pending',
): Claim {
  const { size = '1Gi', ...rest } = spec;
  return {
    metadata: { name: 'data', namespace: 'shop', uid: 'claim-1', resourceVersion: '1', annotations },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, storageClassName: '', ...rest },
    status: { phase },
  } as Claim;
}

function volume(name: string, spec: Partial<PersistentVolumeSpec> & { size?: string } = {}, more = {}): Volume {
  const { size = '1Gi', ...rest } = spec;
  return {
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', ...more },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: size },
      persistentVolumeReclaimPolicy: 'Retain',
      ...rest,
    },
    status: { phase: rest.claimRef === undefined ? 'Available' : 'Bound' },
  } as Volume;
}

/** What a plan does, in words. */
function words(plan: Plan): string[] {
  return plan.actions.map((action) => {
    if (action.verb === 'event') return `${action.type} ${action.reason}`;
    if (action.verb !== 'update') return action.verb;
    const object = action.object as KubeObject & Claim & Volume;
    const name = `${object.metadata.name}`;
    if (action.subresource === 'status') return `${name} is ${object.status?.phase}`;
    return `${name} for ${object.spec?.claimRef?.uid ?? object.spec?.volumeName ?? 'nobody'}`;
  });
}

const plan = (of: Claim, world: Partial<ClaimWorld> = {}) =>
  planClaim({ claim: of, volumes: [], storageClass: undefined, defaultClass: undefined, waiting: [], ...world });

describe('a claim without a class', () => {
  it('gets the smallest volume that will do, and both name each other, the volume first', () => {
    const volumes = [
      volume('large', { size: '5Gi' }),
      volume('small', { size: '512Mi' }),
      volume('fits', { size: '2Gi' }),
    ];
    const first = plan(claim(), { volumes });
    expect(words(first)).toEqual(['fits for claim-1', 'data for fits']);
    const [toVolume, toClaim] = first.actions as unknown as { object: KubeObject }[];
    expect(toVolume?.object.metadata?.annotations).toEqual({ [BOUND_BY_CONTROLLER]: 'yes' });
    expect(toClaim?.object.metadata?.annotations).toEqual({ [BOUND_BY_CONTROLLER]: 'yes', ...DONE });
  });

  it.each<[string, Partial<PersistentVolumeSpec>, Partial<PersistentVolumeClaimSpec>]>([
    ['of another class', { storageClassName: 'fast' }, {}],
    ['that is a block device', { volumeMode: 'Block' }, {}],
    ['that cannot be shared', {}, { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }],
    ['that is kept for another', { claimRef: { ...REF, name: 'other', uid: 'claim-2' } }, {}],
    ['without the labels', {}, { selector: { matchLabels: { disk: 'ssd' } } }],
  ])('does not get one %s', (_what, ofVolume, ofClaim) => {
    const volumes = [volume('v', ofVolume)];
    expect(words(plan(claim(ofClaim), { volumes }))).toEqual(['Normal FailedBinding']);
  });

  it('gets the one that is kept for it, however large others are', () => {
    const volumes = [volume('small'), volume('kept', { size: '9Gi', claimRef: { namespace: 'shop', name: 'data' } })];
    expect(words(plan(claim(), { volumes }))).toEqual(['kept for claim-1', 'data for kept']);
  });

  it('gets the one that it names, or waits for it', () => {
    expect(words(plan(claim({ volumeName: 'v' }), { volumes: [volume('v')] }))).toEqual([
      'v for claim-1',
      'data for v',
    ]);
    expect(words(plan(claim({ volumeName: 'v' }), { volumes: [volume('w')] }))).toEqual([]);
    const tooSmall = [volume('v', { size: '1Mi' })];
    expect(words(plan(claim({ volumeName: 'v' }), { volumes: tooSmall }))).toEqual(['Warning VolumeMismatch']);
  });

  it('is as large as its volume when it is bound, and not told again', () => {
    const bound = claim({ volumeName: 'v' }, DONE);
    const world = { volumes: [volume('v', { size: '2Gi', claimRef: REF })] };
    const [action] = plan(bound, world).actions as unknown as { object: Claim }[];
    expect(action?.object.status).toEqual({
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '2Gi' },
    });
    expect(plan({ ...bound, ...action?.object } as Claim, world).actions).toEqual([]);
  });

  it('that asks for more than it has waits for whoever can give it', () => {
    const status = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };
    const bound = { ...claim({ volumeName: 'v', size: '2Gi' }, DONE), status };
    const volumes = [volume('v', { claimRef: REF })];
    expect(words(plan(bound, { volumes }))).toEqual(['Normal ExternalExpanding']);
    const begun = { ...bound, status: { ...status, allocatedResources: { storage: '2Gi' } } };
    expect(words(plan(begun, { volumes }))).toEqual([]);
  });

  it('is lost without its volume', () => {
    const bound = claim({ volumeName: 'v' }, DONE, 'Bound');
    expect(words(plan(bound))).toEqual(['data is Lost', 'Warning ClaimLost']);
    const others = [volume('v', { claimRef: { ...REF, uid: 'claim-2' } })];
    expect(words(plan(bound, { volumes: others }))).toEqual(['data is Lost', 'Warning ClaimMisbound']);
    expect(plan(claim({ volumeName: 'v' }, DONE, 'Lost')).actions).toEqual([]);
  });
});

describe('a claim with a class', () => {
  const storageClass = (rest: Partial<StorageClass>) =>
    ({ metadata: { name: 'fast' }, provisioner: 'p.example.com', ...rest }) as Stored<StorageClass>;
  const now = storageClass({ volumeBindingMode: 'Immediate' });
  const later = storageClass({ volumeBindingMode: 'WaitForFirstConsumer' });
  const asks = (annotations = {}) => claim({ storageClassName: 'fast' }, annotations);

  it('gets the default where it names none', () => {
    const { storageClassName: _none, ...spec } = asks().spec ?? {};
    const [action] = plan({ ...asks(), spec }, { defaultClass: 'fast' }).actions as unknown as { object: Claim }[];
    expect(action?.object.spec?.storageClassName).toBe('fast');
    expect(words(plan({ ...asks(), spec }))).toEqual(['Normal FailedBinding']);
  });

  it('is told who is to make its volume', () => {
    const asked = plan(asks(), { storageClass: now });
    expect(words(asked)).toEqual(['data for nobody', 'Normal ExternalProvisioning']);
    const [action] = asked.actions as unknown as { object: Claim }[];
    expect(action?.object.metadata.annotations?.[STORAGE_PROVISIONER]).toBe('p.example.com');
    const again = plan(asks({ [STORAGE_PROVISIONER]: 'p.example.com' }), { storageClass: now });
    expect(words(again)).toEqual(['Normal ExternalProvisioning']);
  });

  it('waits for its first pod, and for the node of that pod', () => {
    const free = [volume('v', { storageClassName: 'fast' })];
    expect(words(plan(asks(), { storageClass: later, volumes: free }))).toEqual(['Normal WaitForFirstConsumer']);
    expect(words(plan(asks(), { storageClass: later, waiting: ['web'] }))).toEqual(['Normal WaitForPodScheduled']);
    const chosen = plan(asks({ [SELECTED_NODE]: 'n1' }), { storageClass: later });
    expect(words(chosen)).toEqual(['data for nobody', 'Normal ExternalProvisioning']);
    const kept = [volume('v', { storageClassName: 'fast', claimRef: REF })];
    expect(words(plan(asks(), { storageClass: later, volumes: kept }))).toEqual(['data for v']);
  });

  it('is given to another node when the one that was chosen is gone', () => {
    const chosen = asks({ [SELECTED_NODE]: 'n1', [STORAGE_PROVISIONER]: 'p.example.com' });
    const [action] = plan(chosen, { storageClass: later, nodeIsGone: true }).actions as unknown as { object: Claim }[];
    expect(action?.object.metadata.annotations).toEqual({ [STORAGE_PROVISIONER]: 'p.example.com' });
  });

  it('says that the class is not there', () => {
    expect(words(plan(asks()))).toEqual(['Warning ProvisioningFailed']);
    const manual = storageClass({ provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'Immediate' });
    expect(words(plan(asks(), { storageClass: manual }))).toEqual([]);
  });
});

describe('a volume', () => {
  const of = (v: Volume, c?: Claim) => words(planVolume({ volume: v, claim: c, now: NOW }));
  const named = volume('v', { claimRef: REF });

  it('is free, taken, and released', () => {
    expect(of({ ...volume('v'), status: { phase: 'Pending' } })).toEqual(['v is Available']);
    expect(of({ ...named, status: { phase: 'Available' } }, claim({ volumeName: 'v' }))).toEqual(['v is Bound']);
    expect(of(named)).toEqual(['v is Released']);
    expect(of({ ...named, status: { phase: 'Released' } })).toEqual([]);
    expect(of(volume('v', { claimRef: { ...REF, uid: 'claim-0' } }), claim())).toEqual(['v is Released']);
  });

  it('waits for a claim that is to name it', () => {
    expect(of(named, claim())).toEqual([]);
    expect(
      of({ ...volume('v', { claimRef: { namespace: 'shop', name: 'data' } }), status: { phase: 'Pending' } }),
    ).toEqual(['v is Available']);
  });

  it('is free again when the claim took another', () => {
    const found = volume('v', { claimRef: REF }, { annotations: { [BOUND_BY_CONTROLLER]: 'yes' } });
    const taken = planVolume({ volume: found, claim: claim({ volumeName: 'w' }), now: NOW });
    const [action] = taken.actions as unknown as { object: Volume }[];
    expect(action?.object.spec?.claimRef).toBeUndefined();
    expect(action?.object.metadata.annotations).toEqual({});
  });

  it('is deleted by whoever made it, and by nobody else', () => {
    const made = volume('v', { claimRef: REF, persistentVolumeReclaimPolicy: 'Delete' });
    expect(of(made)).toEqual(['v is Failed', 'Warning VolumeFailedDelete']);
    const own = { ...made, metadata: { ...made.metadata, annotations: { [PROVISIONED_BY]: 'p.example.com' } } };
    expect(of(own)).toEqual(['v is Released']);
    expect(of(volume('v', { claimRef: REF, persistentVolumeReclaimPolicy: 'Recycle' }))).toEqual(['v is Failed']);
  });
});
