/**
 * Volumes of CSI drivers are attached to the nodes of the pods that use them, by objects that the driver's attacher acts
 * on, and detached when no pod there uses them and the kubelet has let go of them.
 *
 * Source: https://kubernetes-csi.github.io/docs/external-attacher.html
 */
import { createHash } from 'node:crypto';
import { type Node, nodes } from '../../apis/core/node.ts';
import type { PersistentVolume } from '../../apis/core/persistentVolume.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { type VolumeAttachment, volumeAttachments } from '../../apis/storage/volumeAttachment.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import type { Action, EventAction } from '../action.ts';
import type { Plan } from '../loop.ts';

type Attachment = Stored<VolumeAttachment>;

/** A volume of a driver, and the pods on the node that use it. */
export interface UsedVolume {
  readonly volume: Stored<PersistentVolume>;
  readonly pods: readonly Stored<Pod>[];
}

export interface AttachWorld {
  readonly nodeName: string;
  readonly node: Stored<Node> | undefined;
  /** by pods of the node; only those that must be attached */
  readonly used: readonly UsedVolume[];
  /** of this node */
  readonly attachments: readonly Attachment[];
  /** of a volume, on any node */
  attachmentsOf(volumeName: string): readonly Attachment[];
  /** Whether this node is the first to ask for a volume that only one may have; what was decided may not be seen yet. */
  mayHave(volumeName: string): boolean;
  /** The driver and the handle of an attached volume, for its name in the node's status. */
  volume(name: string): Stored<PersistentVolume> | undefined;
  /** other pods that use a volume, on other nodes */
  otherUsers(volumeName: string): readonly Stored<Pod>[];
  /** since when nothing here has used an attachment, in ms; the plan is told the time of the first look */
  unusedSince(name: string): number;
  readonly now: number;
}

/** A node that is not well and does not let go of a volume has it taken away after so long. */
const FORCE_AFTER_MS = 6 * 60_000;
const LOOK_AGAIN_MS = 30_000;
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
/** The names that `attachmentName` gives. */
const OURS = /^csi-[0-9a-f]{64}$/;
const SHARED_MODES: ReadonlySet<string> = new Set(['ReadWriteMany', 'ReadOnlyMany']);

/** The name of the object by which a volume is attached to a node; kubelets look for it under that name. */
export function attachmentName({ spec }: PersistentVolume, nodeName: string): string {
  const { driver = '', volumeHandle = '' } = spec?.csi ?? {};
  return `csi-${createHash('sha256').update(`${volumeHandle}${driver}${nodeName}`).digest('hex')}`;
}

/** Under which the node's status names a volume. */
export function uniqueName({ spec }: PersistentVolume): string {
  return `kubernetes.io/csi/${spec?.csi?.driver ?? ''}^${spec?.csi?.volumeHandle ?? ''}`;
}

export function planAttachments(world: AttachWorld): Plan {
  const { nodeName, node, used, attachments } = world;
  const actions: Action[] = [];
  const wanted = new Map(used.map((u) => [attachmentName(u.volume, nodeName), u]));
  for (const [name, use] of wanted) {
    const there = attachments.find((a) => a.metadata.name === name);
    if (there === undefined) actions.push(...attach(world, name, use));
    else actions.push(...failures(there, use));
  }
  // What another was promised it may not get.
  let waits = actions.some((action) => action.verb === 'event');
  for (const attachment of attachments) {
    const { name, deletionTimestamp } = attachment.metadata;
    // What somebody else has made is theirs to take away.
    if (!OURS.test(name) || wanted.has(name) || deletionTimestamp !== undefined) continue;
    if (mayDetach(world, attachment)) {
      actions.push({ verb: 'delete', kind: volumeAttachments as Kind, object: attachment });
    } else waits = true;
  }
  if (node !== undefined) actions.push(...tellNode(world, node, wanted));
  return { actions, ...(waits ? { againMs: LOOK_AGAIN_MS } : {}) };
}

function attach(world: AttachWorld, name: string, { volume, pods }: UsedVolume): Action[] {
  const volumeName = volume.metadata.name;
  const isShared = (volume.spec?.accessModes ?? []).some((mode) => SHARED_MODES.has(mode));
  if (!isShared && (world.attachmentsOf(volumeName).length > 0 || !world.mayHave(volumeName))) {
    const others = world.otherUsers(volumeName).map((pod) => pod.metadata.name);
    const why =
      others.length > 0
        ? `Volume is already used by pod(s) ${others.sort().join(', ')}`
        : "Volume is already exclusively attached to one node and can't be attached to another";
    return pods.map((pod) => failed(pod, `Multi-Attach error for volume ${JSON.stringify(volumeName)} ${why}`));
  }
  const object: VolumeAttachment = {
    metadata: { name },
    spec: {
      attacher: volume.spec?.csi?.driver ?? '',
      nodeName: world.nodeName,
      source: { persistentVolumeName: volumeName },
    },
  };
  return [{ verb: 'create', kind: volumeAttachments as Kind, object }];
}

function failures({ status, metadata }: Attachment, { volume, pods }: UsedVolume): Action[] {
  const why = status?.attachError?.message;
  const about = `AttachVolume.Attach failed for volume ${JSON.stringify(volume.metadata.name)}`;
  if (metadata.deletionTimestamp !== undefined) {
    return pods.map((pod) => failed(pod, `${about} : volume attachment is being deleted`));
  }
  return why && !status?.attached ? pods.map((pod) => failed(pod, `${about} : ${why}`)) : [];
}

const failed = (regarding: Pod, message: string): EventAction => ({
  verb: 'event',
  regarding,
  type: 'Warning',
  reason: 'FailedAttachVolume',
  message,
});

/** Never while the kubelet has it mounted, but where the node is lost. */
function mayDetach({ node, volume, unusedSince, now }: AttachWorld, attachment: Attachment): boolean {
  if (node === undefined) return true;
  const found = volume(attachment.spec?.source?.persistentVolumeName ?? '');
  if (found === undefined || !(node.status?.volumesInUse ?? []).includes(uniqueName(found))) return true;
  if ((node.spec?.taints ?? []).some((taint) => taint.key === OUT_OF_SERVICE)) return true;
  const isReady = (node.status?.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True');
  return !isReady && now - unusedSince(attachment.metadata.name) >= FORCE_AFTER_MS;
}

/** What is attached, for the kubelet and for people. What is being detached counts until it is. */
function tellNode(world: AttachWorld, node: Stored<Node>, wanted: ReadonlyMap<string, UsedVolume>): Action[] {
  const before = node.status?.volumesAttached ?? [];
  const attached = new Map<string, Attachment>();
  for (const attachment of world.attachments) {
    const volume = world.volume(attachment.spec?.source?.persistentVolumeName ?? '');
    if (volume !== undefined && attachment.status?.attached) attached.set(uniqueName(volume), attachment);
  }
  const names = [...attached.keys()].sort();
  const told = before.map((v) => v.name);
  if (names.length === told.length && names.every((name) => told.includes(name))) return [];
  const { name } = node.metadata;
  const patch = { status: { volumesAttached: names.map((unique) => ({ name: unique, devicePath: '' })) } };
  const fresh = names.filter((unique) => !told.includes(unique));
  return [
    { verb: 'patch', kind: nodes as Kind, ref: { name }, type: 'merge', patch, subresource: 'status' },
    ...fresh.flatMap((unique) => {
      const use = wanted.get(attached.get(unique)?.metadata.name ?? '');
      const message = `AttachVolume.Attach succeeded for volume ${JSON.stringify(use?.volume.metadata.name ?? '')} `;
      return (use?.pods ?? []).map(
        (regarding): EventAction => ({
          verb: 'event',
          regarding,
          type: 'Normal',
          reason: 'SuccessfulAttachVolume',
          message,
        }),
      );
    }),
  ];
}
