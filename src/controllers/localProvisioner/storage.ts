/** Where volumes of a node lie: folders on a disk, or only the thought of them on simulated nodes. */

/** A volume cannot be made, grown or removed. Shows as an event. */
export class LocalStorageError extends Error {
  override readonly name = 'LocalStorageError';
}

export interface LocalStorage {
  /** Makes the folder of a volume where it is not there yet, and gives its path. @throws LocalStorageError */
  make(volume: string, bytes: number): Promise<string>;
  /** Gives a volume another size. @throws LocalStorageError */
  resize(volume: string, bytes: number): Promise<void>;
  /** Removes a volume and all that is in it; does nothing where there is none. @throws LocalStorageError */
  remove(volume: string): Promise<void>;
}

/** Simulated nodes have no files: a path is all that there is of a volume. */
export const SIMULATED_STORAGE: LocalStorage = {
  make: async (volume) => `/var/lib/kubets/volumes/${volume}`,
  resize: async () => {},
  remove: async () => {},
};
