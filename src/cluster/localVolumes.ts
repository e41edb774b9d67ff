/** Storage that every cluster has: a default class, and the provisioner that makes its volumes on the nodes. */
import { type StorageClass, storageClasses } from '../apis/storage/storageClass.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import { startLocalProvisioner } from '../controllers/localProvisioner/controller.ts';
import { LOCAL_PROVISIONER } from '../controllers/localProvisioner/provision.ts';
import type { LocalStorage } from '../controllers/localProvisioner/storage.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { isApiError } from '../machinery/status.ts';

export interface LocalVolumesOptions {
  readonly client: Client;
  readonly nodeNames: readonly string[];
  readonly storage: LocalStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Makes, grows and removes the volumes of nodes of this process. */
export function startLocalVolumes(options: LocalVolumesOptions): void {
  const { client, nodeNames, storage, clock, random, signal } = options;
  const log = options.log.child({ component: 'local-provisioner' });
  const shared = { clock, random, log, signal };
  const context = { ...shared, informers: new Informers({ ...shared, client }), clientFor: () => client };
  startLocalProvisioner(context, { nodeNames, storage });
}

/** Makes the default class where it is not there; one that was changed stays as it is. */
export async function ensureStorageClass(client: Client): Promise<void> {
  const object: StorageClass = {
    metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: LOCAL_PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
  };
  try {
    await client.get(storageClasses, { name: object.metadata?.name ?? '' });
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
    await client.create(storageClasses, object);
  }
}
