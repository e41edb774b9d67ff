import { describe, expect, it } from 'vitest';
import type { Node } from '../../apis/core/node.ts';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { VolumeAttachment } from '../../apis/storage/volumeAttachment.ts';
import type { Stored } from '../../machinery/kind.ts';
import { type AttachWorld, attachmentName, planAttachments, uniqueName } from './plan.ts';

const meta = (name: string) => ({ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '1' });
const volume = (name: string, ...accessModes: string[]) =>
  ({
    metadata: meta(name),
    spec: { accessModes, csi: { driver: 'd.example.com', volumeHandle: name } },
  }) as Stored<PersistentVolume>;
const pod = (name: string) => ({ metadata: meta(name) }) as Stored<Pod>;
const node = (status: Node['status'] = {}, spec: Node['spec'] = {}) =>
  ({ metadata: meta('n1'), spec, status }) as Stored<Node>;
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };
const attachment = (of: Stored<PersistentVolume>, nodeName: string, status: Partial<VolumeAttachment['status']> = {}) =>
  ({
    metadata: meta(attachmentName(of, nodeName)),
    spec: { attacher: 'd.example.com', nodeName, source: { persistentVolumeName: of.metadata.name } },
    status: { attached: false, ...status },
  }) as Stored<VolumeAttachment>;

interface Given {
  readonly volume: Stored<PersistentVolume>;
  readonly users?: readonly string[];
  readonly others?: readonly string[];
  readonly attachments?: readonly Stored<VolumeAttachment>[];
  readonly node?: Stored<Node> | undefined;
  readonly unusedMs?: number;
}

/** What is planned for the node n1, in words. */
function planned(given: Given): string[] {
  const { users = [], others = [], attachments = [], unusedMs = 0 } = given;
  const world: AttachWorld = {
    nodeName: 'n1',
    node: 'node' in given ? given.node : node(READY),
    used: users.length === 0 ? [] : [{ volume: given.volume, pods: users.map(pod) }],
    attachments: attachments.filter((a) => a.spec?.nodeName === 'n1'),
    attachmentsOf: () => attachments,
    mayHave: () => true,
    volume: (name) => (name === given.volume.metadata.name ? given.volume : undefined),
    otherUsers: () => others.map(pod),
    unusedSince: () => 0,
    now: unusedMs,
  };
  return planAttachments(world).actions.map((action) => {
    switch (action.verb) {
      case 'create':
        return `attach to ${(action.object as VolumeAttachment).spec?.nodeName}`;
      case 'delete':
        return 'detach';
      case 'patch':
        return `tell ${JSON.stringify((action.patch as { status: unknown }).status)}`;
      case 'event':
        return `${action.reason} of ${action.regarding.metadata?.name}: ${action.message}`;
      default:
        return action.verb;
    }
  });
}

const own = volume('own', 'ReadWriteOnce');
const shared = volume('shared', 'ReadWriteMany');
const unique = uniqueName(own);

describe('attaching', () => {
  it('names the attachment as kubelets and attachers do', () => {
    // The SHA-256 of the handle, the driver and the node, in a row.
    expect(attachmentName(own, 'n1')).toBe('csi-b5c2c8884a536ff578a7f2548854db6d9d5353606af16c508c88495c78904b9c');
    expect(attachmentName(own, 'n1')).not.toBe(attachmentName(own, 'n2'));
  });

  it('is asked for once', () => {
    expect(planned({ volume: own, users: ['a', 'b'] })).toEqual(['attach to n1']);
    expect(planned({ volume: own, users: ['a'], attachments: [attachment(own, 'n1')] })).toEqual([]);
  });

  it('of a volume that is elsewhere waits, but for volumes that many nodes may have', () => {
    const elsewhere = { users: ['a'], attachments: [attachment(own, 'n2')] };
    const error = 'FailedAttachVolume of a: Multi-Attach error for volume "own"';
    expect(planned({ volume: own, ...elsewhere, others: ['y', 'x'] })).toEqual([
      `${error} Volume is already used by pod(s) x, y`,
    ]);
    expect(planned({ volume: own, ...elsewhere })).toEqual([
      `${error} Volume is already exclusively attached to one node and can't be attached to another`,
    ]);
    expect(planned({ volume: shared, users: ['a'], attachments: [attachment(shared, 'n2')] })).toEqual([
      'attach to n1',
    ]);
  });

  it('is told of when it succeeded and when it failed', () => {
    const attached = attachment(own, 'n1', { attached: true });
    expect(planned({ volume: own, users: ['a'], attachments: [attached] })).toEqual([
      `tell {"volumesAttached":[{"name":"${unique}","devicePath":""}]}`,
      'SuccessfulAttachVolume of a: AttachVolume.Attach succeeded for volume "own" ',
    ]);
    const failed = attachment(own, 'n1', { attachError: { message: 'no slot' } });
    expect(planned({ volume: own, users: ['a'], attachments: [failed] })).toEqual([
      'FailedAttachVolume of a: AttachVolume.Attach failed for volume "own" : no slot',
    ]);
  });
});

describe('detaching', () => {
  const attachments = [attachment(own, 'n1', { attached: true })];
  const told = { volumesAttached: [{ name: unique, devicePath: '' }] };
  const inUse = { ...told, volumesInUse: [unique] };

  it('waits for the kubelet to let go', () => {
    expect(planned({ volume: own, attachments, node: node({ ...READY, ...inUse }) })).toEqual([]);
    expect(planned({ volume: own, attachments, node: node({ ...READY, ...inUse }), unusedMs: 600_000 })).toEqual([]);
    expect(planned({ volume: own, attachments, node: node({ ...READY, ...told }) })).toEqual(['detach']);
  });

  it('does not wait for a node that is lost', () => {
    const lost = node(inUse);
    expect(planned({ volume: own, attachments, node: lost, unusedMs: 359_999 })).toEqual([]);
    expect(planned({ volume: own, attachments, node: lost, unusedMs: 360_000 })).toEqual(['detach']);
    const taint = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' };
    expect(planned({ volume: own, attachments, node: node(inUse, { taints: [taint] }) })).toEqual(['detach']);
    expect(planned({ volume: own, attachments, node: undefined })).toEqual(['detach']);
  });

  it('is done once, and told when it is done', () => {
    const [first] = attachments;
    const going = { ...first, metadata: { ...first?.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const after = node({ ...READY, ...told });
    expect(planned({ volume: own, attachments: [going as Stored<VolumeAttachment>], node: after })).toEqual([]);
    expect(planned({ volume: own, node: after })).toEqual(['tell {"volumesAttached":[]}']);
  });
});

it('what somebody else has made stays', () => {
  const one = volume('one', 'ReadWriteOnce');
  const made = { ...attachment(one, 'n1'), metadata: meta('by-hand') };
  expect(planned({ volume: one, attachments: [made] })).toEqual([]);
});
