/**
 * Claims that leave their class open get the default's.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#defaultstorageclass
 */
import { classOfClaim, type PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import { defaultOf } from '../../apis/defaultClass.ts';
import { isDefaultStorageClass, storageClasses } from '../../apis/storage/storageClass.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin } from './plugin.ts';

export function defaultStorageClass(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(storageClasses);
  return {
    name: 'DefaultStorageClass',
    resources: new Set(['/persistentvolumeclaims']),
    mutate(request) {
      if (request.operation !== 'CREATE' || request.subresource !== '') return;
      const claim = request.object as PersistentVolumeClaim;
      if (classOfClaim(claim) !== undefined) return;
      const fill = () => {
        const name = defaultOf(cache.objects(), isDefaultStorageClass)?.metadata.name;
        if (name !== undefined && claim.spec !== undefined) claim.spec.storageClassName = name;
      };
      return cache.ready ? fill() : cache.start().then(fill);
    },
  };
}
