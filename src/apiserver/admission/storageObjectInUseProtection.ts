/**
 * Volumes and claims get a finalizer that keeps them as long as they are in use; controllers take it away.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#storageobjectinuseprotection
 */
import type { AdmissionPlugin } from './plugin.ts';

const FINALIZERS: ReadonlyMap<string, string> = new Map([
  ['persistentvolumes', 'kubernetes.io/pv-protection'],
  ['persistentvolumeclaims', 'kubernetes.io/pvc-protection'],
]);

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  resources: new Set(['/persistentvolumes', '/persistentvolumeclaims']),
  mutate(request) {
    const finalizer = FINALIZERS.get(request.kind.plural);
    const meta = request.object?.metadata;
    if (request.operation !== 'CREATE' || request.subresource !== '') return;
    if (finalizer === undefined || meta === undefined || meta.finalizers?.includes(finalizer)) return;
    meta.finalizers = [...(meta.finalizers ?? []), finalizer];
  },
};
