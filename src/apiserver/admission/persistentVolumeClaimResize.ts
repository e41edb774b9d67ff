/**
 * A claim grows only where it has a volume, of a class whose volumes can grow.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#persistentvolumeclaimresize
 */
import {
  classOfClaim,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
} from '../../apis/core/persistentVolumeClaim.ts';
import { storageClasses } from '../../apis/storage/storageClass.ts';
import { compareQuantities } from '../../machinery/quantity.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin } from './plugin.ts';

const NOT_BOUND = 'Only bound persistent volume claims can be expanded';
const NOT_GROWING =
  'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';

export function persistentVolumeClaimResize(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(storageClasses);
  return {
    name: 'PersistentVolumeClaimResize',
    resources: new Set(['/persistentvolumeclaims']),
    validate(request) {
      if (request.operation !== 'UPDATE' || request.subresource !== '') return;
      const claim = request.object as PersistentVolumeClaim;
      const old = request.oldObject as PersistentVolumeClaim;
      if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
      const refuse = (why: string) => forbiddenRequest(persistentVolumeClaims, request.name, why);
      if (old.status?.phase !== 'Bound') throw refuse(NOT_BOUND);
      const name = classOfClaim(claim) ?? '';
      if (name === '' || name !== classOfClaim(old)) throw refuse(NOT_GROWING);
      const check = () => {
        if (cache.object(undefined, name)?.allowVolumeExpansion !== true) throw refuse(NOT_GROWING);
      };
      return cache.ready ? check() : cache.start().then(check);
    },
  };
}

const sizeOf = (claim: PersistentVolumeClaim) => claim.spec?.resources?.requests?.storage ?? '0';
