/** Runs the plans of what is attached to nodes. */
import { nodes } from '../../apis/core/node.ts';
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { isBound } from '../../apis/core/volumeBinding.ts';
import { csiDrivers } from '../../apis/storage/csiDriver.ts';
import { type VolumeAttachment, volumeAttachments } from '../../apis/storage/volumeAttachment.ts';
import { keyOf, refKey } from '../../client/store.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { BY_CLAIM, claimKeysOf } from '../persistentVolume/protection.ts';
import { isFinished } from '../podState.ts';
import { attachmentName, planAttachments, type UsedVolume } from './plan.ts';

const BY_NODE = 'node, of pods with claims';
const ATTACHMENTS_BY_NODE = 'node';
const ATTACHMENTS_BY_VOLUME = 'volume';
/** Until the informers show what was made, or it was not made after all. */
const UNSEEN_MS = 30_000;

export function startAttachDetachController(context: ControllerContext): void {
  const { clock } = context;
  const podInformer = context.informers.of(pods);
  const claims = context.informers.of(persistentVolumeClaims);
  const volumes = context.informers.of(persistentVolumes);
  const attachments = context.informers.of(volumeAttachments);
  const drivers = context.informers.of(csiDrivers);
  const nodeInformer = context.informers.of(nodes);
  podInformer.addIndex(BY_CLAIM, claimKeysOf);
  podInformer.addIndex(BY_NODE, (pod) => {
    const nodeName = pod.spec?.nodeName;
    return nodeName && claimKeysOf(pod).length > 0 ? [nodeName] : [];
  });
  attachments.addIndex(ATTACHMENTS_BY_NODE, ({ spec }) => [spec?.nodeName ?? '']);
  attachments.addIndex(ATTACHMENTS_BY_VOLUME, ({ spec }) => [spec?.source?.persistentVolumeName ?? '']);
  /** when attachments were first seen that nothing uses, in ms of the monotonic clock */
  const unused = new Map<string, number>();

  /** who is about to have a volume, by its name, and until when that counts without being seen */
  const decided = new Map<string, { nodeName: string; until: number }>();

  const volumeOf = (claimKey: string): Stored<PersistentVolume> | undefined => {
    const claim = claims.byKey(claimKey);
    return claim !== undefined && isBound(claim) ? volumes.byKey(claim.spec?.volumeName ?? '') : undefined;
  };
  /** Volumes of drivers that have to attach them. */
  const isAttached = ({ spec }: PersistentVolume) =>
    spec?.csi !== undefined && drivers.byKey(spec.csi.driver)?.spec?.attachRequired !== false;
  const usedOn = (nodeName: string): UsedVolume[] => {
    const used = new Map<string, { volume: Stored<PersistentVolume>; pods: Stored<Pod>[] }>();
    for (const pod of podInformer.byIndex(BY_NODE, nodeName)) {
      if (isFinished(pod)) continue;
      for (const key of claimKeysOf(pod)) {
        const volume = volumeOf(key);
        if (volume === undefined || !isAttached(volume)) continue;
        const known = used.get(volume.metadata.name) ?? { volume, pods: [] };
        used.set(volume.metadata.name, known);
        known.pods.push(pod);
      }
    }
    return [...used.values()];
  };
  const usersOf = (volumeName: string): readonly Stored<Pod>[] => {
    const ref = volumes.byKey(volumeName)?.spec?.claimRef;
    if (ref === undefined) return [];
    return podInformer.byIndex(BY_CLAIM, refKey(ref.namespace, ref.name ?? '')).filter((pod) => pod.spec?.nodeName);
  };

  const loop = startLoop({
    name: 'attachdetach-controller',
    context,
    reads: [podInformer, claims, volumes, attachments, drivers, nodeInformer],
    plan(nodeName) {
      const here = attachments.byIndex(ATTACHMENTS_BY_NODE, nodeName);
      const node = nodeInformer.byKey(nodeName);
      const used = usedOn(nodeName);
      if (here.length === 0 && used.length === 0 && (node?.status?.volumesAttached ?? []).length === 0)
        return undefined;
      for (const { volume } of used) unused.delete(attachmentName(volume, nodeName));
      return planAttachments({
        nodeName,
        node,
        used,
        attachments: here,
        attachmentsOf: (volumeName) => attachments.byIndex(ATTACHMENTS_BY_VOLUME, volumeName),
        mayHave(volumeName) {
          const other = decided.get(volumeName);
          if (other !== undefined && other.nodeName !== nodeName && clock.monotonic() < other.until) return false;
          decided.set(volumeName, { nodeName, until: clock.monotonic() + UNSEEN_MS });
          return true;
        },
        volume: (name) => volumes.byKey(name),
        otherUsers: (volumeName) =>
          usersOf(volumeName).filter((pod) => pod.spec?.nodeName !== nodeName && !isFinished(pod)),
        unusedSince(name) {
          const since = unused.get(name) ?? clock.monotonic();
          unused.set(name, since);
          return since;
        },
        now: clock.monotonic(),
      });
    },
  });

  // Most clusters have no such volumes: until the first is there, pods need not be looked at.
  let hasDrivers = false;
  const look = (pod: Stored<Pod>) => {
    const nodeName = pod.spec?.nodeName;
    if (hasDrivers && nodeName && claimKeysOf(pod).length > 0) loop.enqueue(nodeName);
  };
  podInformer.handle({
    onAdd: look,
    onUpdate(pod, old) {
      if (pod.spec?.nodeName !== old.spec?.nodeName || isFinished(pod) !== isFinished(old)) look(pod);
    },
    onDelete: look,
  });
  claims.handle({
    onUpdate(claim, old) {
      if (isBound(claim) && !isBound(old)) podInformer.byIndex(BY_CLAIM, keyOf(claim)).forEach(look);
    },
  });
  volumes.handle({
    onAdd({ metadata, spec }) {
      if (!hasDrivers && spec?.csi !== undefined) {
        hasDrivers = true;
        podInformer.list().forEach(look);
      } else usersOf(metadata.name).forEach(look);
    },
    onDelete({ metadata }) {
      for (const { spec } of attachments.byIndex(ATTACHMENTS_BY_VOLUME, metadata.name)) {
        loop.enqueue(spec?.nodeName ?? '');
      }
    },
  });
  const attachmentChanged = ({ spec }: VolumeAttachment) => loop.enqueue(spec?.nodeName ?? '');
  attachments.handle({
    onAdd(attachment) {
      decided.delete(attachment.spec?.source?.persistentVolumeName ?? '');
      attachmentChanged(attachment);
    },
    onUpdate: attachmentChanged,
    onDelete(attachment) {
      unused.delete(attachment.metadata.name);
      attachmentChanged(attachment);
      // Another node may have waited for it.
      usersOf(attachment.spec?.source?.persistentVolumeName ?? '').forEach(look);
    },
  });
  drivers.handle({
    onDelete: () => podInformer.list().forEach(look),
  });
  nodeInformer.handle({
    onUpdate(node, old) {
      const same =
        jsonEqual(node.status?.volumesInUse ?? [], old.status?.volumesInUse ?? []) &&
        jsonEqual(node.spec?.taints ?? [], old.spec?.taints ?? []);
      if (!same) loop.enqueue(node.metadata.name);
    },
    onDelete: ({ metadata }) => loop.enqueue(metadata.name),
  });
}
