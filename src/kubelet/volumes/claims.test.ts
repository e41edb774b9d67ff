import { describe, expect, it } from 'vitest';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { BIND_COMPLETED } from '../../apis/core/volumeBinding.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import type { Stored } from '../../machinery/kind.ts';
import { claimedVolume } from './claims.ts';

const meta = (name: string, uid: string) => ({ name, namespace: 'shop', uid, resourceVersion: '1' });
const pod: Pod = { metadata: meta('web', 'pod-1') };
const NAMED: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'files', readOnly: true } };
const EPHEMERAL: Volume = { name: 'data', ephemeral: {} };

interface World {
  claim?: Partial<PersistentVolumeClaim>;
  volume?: Partial<PersistentVolume>;
}

function sources(name: string, { claim, volume }: World) {
  const bound = {
    metadata: { ...meta(name, 'claim-1'), annotations: { [BIND_COMPLETED]: 'yes' }, ...claim?.metadata },
    spec: { volumeName: 'pv-1', ...claim?.spec },
    status: { phase: 'Bound', ...claim?.status },
  } as Stored<PersistentVolumeClaim>;
  const pv = {
    metadata: { ...meta('pv-1', 'volume-1') },
    spec: { claimRef: { name, namespace: 'shop', uid: 'claim-1' }, ...volume?.spec },
  } as Stored<PersistentVolume>;
  return {
    claim: async (namespace: string, wanted: string) =>
      claim !== undefined && namespace === 'shop' && wanted === name ? bound : undefined,
    persistentVolume: async (wanted: string) => (volume !== undefined && wanted === 'pv-1' ? pv : undefined),
  };
}

describe('the volume of a claim', () => {
  it('is the one that both say', async () => {
    const found = await claimedVolume(pod, NAMED, sources('files', { claim: {}, volume: {} }));
    expect(found).toMatchObject({ volume: { metadata: { name: 'pv-1' } }, readOnly: true });
    expect(await claimedVolume(pod, { name: 'x', emptyDir: {} }, sources('files', {}))).toBeUndefined();
  });

  it.each<[string, World, string]>([
    ['the claim is not there', {}, 'persistentvolumeclaim "files" not found'],
    ['the claim waits', { claim: { status: { phase: 'Pending' } }, volume: {} }, 'PVC is not bound'],
    ['the volume is gone', { claim: {} }, 'failed to fetch PV "pv-1"'],
    [
      "the volume is another's",
      { claim: {}, volume: { spec: { claimRef: { name: 'files', namespace: 'shop', uid: 'other' } } } },
      'bound to another claim',
    ],
  ])('cannot be had while %s', async (_when, world, why) => {
    const asked = claimedVolume(pod, NAMED, sources('files', world));
    await expect(asked).rejects.toThrow(
      'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC shop/files: ',
    );
    await expect(asked).rejects.toThrow(why);
  });

  it("is the pod's own, where it was made for it", async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'pod-1', controller: true };
    const own = { claim: { metadata: { ownerReferences: [owner] } }, volume: {} };
    expect(await claimedVolume(pod, EPHEMERAL, sources('web-data', own))).toMatchObject({ readOnly: false });
    const other = { claim: { metadata: { ownerReferences: [{ ...owner, uid: 'pod-2' }] } }, volume: {} };
    await expect(claimedVolume(pod, EPHEMERAL, sources('web-data', other))).rejects.toThrow(
      'PVC shop/web-data was not created for pod shop/web (pod is not owner)',
    );
  });
});
