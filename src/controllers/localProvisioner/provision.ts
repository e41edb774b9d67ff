/**
 * Makes the volume of a claim, on the node that the scheduler chose.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/dynamic-provisioning/
 */
import { type Node, nodes } from '../../apis/core/node.ts';
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import {
  claimSize,
  isAllowedTopology,
  isDelayed,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../../apis/core/volumeBinding.ts';
import type { StorageClass } from '../../apis/storage/storageClass.ts';
import type { Client } from '../../client/client.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import { isApiError } from '../../machinery/status.ts';
import type { Action, EventAction } from '../action.ts';
import type { Plan } from '../loop.ts';
import { type LocalStorage, LocalStorageError } from './storage.ts';

/** The provisioner of storage classes whose volumes are folders of nodes. */
export const LOCAL_PROVISIONER = 'kubets.io/local';
/** Holds a volume in the API until its folder is gone. */
export const VOLUME_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';
export const HOSTNAME = 'kubernetes.io/hostname';
/** One node has the folder, so only its pods can use it. */
const ACCESS_MODES: ReadonlySet<string> = new Set(['ReadWriteOnce', 'ReadWriteOncePod']);

type Claim = Stored<PersistentVolumeClaim>;

export interface ProvisionWorld {
  readonly claim: Claim;
  readonly storageClass: Stored<StorageClass> | undefined;
  /** whose volumes are made here */
  readonly nodeNames: ReadonlySet<string>;
  readonly storage: LocalStorage;
  readonly client: Client;
}

/** The name of the volume that is made for a claim: always the same, so that it is never made twice. */
export const volumeNameFor = (claim: Claim) => `pvc-${claim.metadata.uid}`;

export function planProvision(world: ProvisionWorld): Plan | undefined {
  const { claim, storageClass, nodeNames } = world;
  const annotations = claim.metadata.annotations ?? {};
  if (claim.spec?.volumeName || claim.metadata.deletionTimestamp !== undefined) return undefined;
  if (annotations[STORAGE_PROVISIONER] !== LOCAL_PROVISIONER) return undefined;
  if (storageClass?.provisioner !== LOCAL_PROVISIONER) return undefined;
  const nodeName = annotations[SELECTED_NODE];
  if (!nodeName && isDelayed(storageClass)) return undefined;
  if (nodeName && !nodeNames.has(nodeName)) return undefined;
  const failed = (failure: Error | undefined): Action[] =>
    // Of what was done before, by a run that ended before it could say so, nothing need be told.
    failure === undefined || isApiError(failure, 'Conflict') || isApiError(failure, 'AlreadyExists')
      ? []
      : [
          note(
            claim,
            'Warning',
            'ProvisioningFailed',
            `failed to provision volume with StorageClass ${JSON.stringify(storageClass.metadata.name)}: ${failure.message}`,
          ),
        ];
  const refusal = whyNot(claim, storageClass);
  if (refusal !== undefined) return { actions: failed(new LocalStorageError(refusal)) };
  if (!nodeName) return { actions: [{ verb: 'work', run: () => choose(world, storageClass) }], after: failed };
  const about = JSON.stringify(`${claim.metadata.namespace}/${claim.metadata.name}`);
  const begun = note(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim ${about}`);
  return {
    actions: [begun, { verb: 'work', run: () => make(world, storageClass, nodeName) }],
    after: failed,
  };
}

function whyNot({ spec }: Claim, { parameters = {} }: StorageClass): string | undefined {
  const mode = (spec?.accessModes ?? []).find((m) => !ACCESS_MODES.has(m));
  if (mode !== undefined)
    return `a folder of a node cannot be mounted ${mode}: only ReadWriteOnce and ReadWriteOncePod`;
  if (spec?.volumeMode === 'Block') return 'a folder is no block device: only the volume mode Filesystem is supported';
  if (spec?.selector !== undefined) return 'claim.spec.selector is not supported';
  if ((spec?.dataSourceRef ?? spec?.dataSource) !== undefined) {
    return 'volumes are made empty: a dataSource is not supported';
  }
  if (spec?.volumeAttributesClassName) return 'volumeAttributesClassName is not supported';
  const [unknown] = Object.keys(parameters);
  return unknown === undefined ? undefined : `the parameter ${JSON.stringify(unknown)} of the class is not known`;
}

/** No scheduler chose a node, as no pod is waited for: one that is allowed is taken. */
async function choose({ claim, nodeNames, client }: ProvisionWorld, storageClass: StorageClass): Promise<Action[]> {
  const { items } = await client.list(nodes);
  const [node] = items
    .filter((n) => nodeNames.has(n.metadata.name) && isUsable(n) && isAllowedTopology(storageClass, n))
    .map((n) => n.metadata.name)
    .sort();
  if (node === undefined) throw new LocalStorageError('no node is ready and of an allowed topology');
  const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: node };
  const object = { ...claim, metadata: { ...claim.metadata, annotations } };
  return [{ verb: 'update', kind: persistentVolumeClaims as Kind, object }];
}

const isUsable = ({ spec, status }: Node) =>
  spec?.unschedulable !== true && (status?.conditions ?? []).some((c) => c.type === 'Ready' && c.status === 'True');

async function make(world: ProvisionWorld, storageClass: Stored<StorageClass>, nodeName: string): Promise<Action[]> {
  const { claim, storage, client } = world;
  const name = volumeNameFor(claim);
  const node = await client.get(nodes, { name: nodeName }).catch((error: unknown) => {
    if (!isApiError(error, 'NotFound')) throw error;
    return undefined;
  });
  if (node === undefined) return [withoutNode(claim)];
  const path = await storage.make(name, wholeValue(claimSize(claim)));
  const object = volumeOf(claim, storageClass, path, node.metadata.labels?.[HOSTNAME] ?? nodeName);
  const done = () => note(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${name}`);
  return [{ verb: 'create', kind: persistentVolumes as Kind, object, announce: { done } }];
}

/** The node went away before the volume was there: the scheduler is to choose another. */
function withoutNode(claim: Claim): Action {
  const { [SELECTED_NODE]: _node, ...annotations } = claim.metadata.annotations ?? {};
  const object = { ...claim, metadata: { ...claim.metadata, annotations } };
  return { verb: 'update', kind: persistentVolumeClaims as Kind, object };
}

function volumeOf(claim: Claim, storageClass: Stored<StorageClass>, path: string, hostname: string): PersistentVolume {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const { mountOptions = [] } = storageClass;
  return {
    metadata: {
      name: volumeNameFor(claim),
      annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER },
      finalizers: [VOLUME_FINALIZER],
    },
    spec: {
      accessModes: [...(claim.spec?.accessModes ?? [])],
      capacity: { storage: claimSize(claim) },
      claimRef: { kind: persistentVolumeClaims.kind, apiVersion: 'v1', namespace, name, uid, resourceVersion },
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: HOSTNAME, operator: 'In', values: [hostname] }] }],
        },
      },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
      storageClassName: storageClass.metadata.name,
      volumeMode: 'Filesystem',
      ...(mountOptions.length === 0 ? {} : { mountOptions: [...mountOptions] }),
    },
  };
}

/** An event about a claim or a volume. */
export function note(
  regarding: EventAction['regarding'],
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): EventAction {
  return { verb: 'event', regarding, type, reason, message };
}
