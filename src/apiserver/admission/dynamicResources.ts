/**
 * Devices: taints begin when they are set, and administrators' access is for namespaces that are marked for it.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#admin-access
 */
import { namespaces } from '../../apis/core/namespace.ts';
import type { DeviceClaim, ResourceClaim } from '../../apis/resource/resourceClaim.ts';
import type { ResourceClaimTemplate } from '../../apis/resource/resourceClaimTemplate.ts';
import type { ResourceSlice } from '../../apis/resource/resourceSlice.ts';
import type { Clock } from '../../lib/clock.ts';
import { type FieldError, forbidden } from '../../machinery/fieldError.ts';
import { invalidObject } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

const ADMIN_LABEL = 'resource.kubernetes.io/admin-access';

export function dynamicResources(registry: Registry, clock: Clock): AdmissionPlugin {
  return {
    name: 'DynamicResources',
    resources: new Set(
      ['resourceclaims', 'resourceclaimtemplates', 'resourceslices'].map((r) => `resource.k8s.io/${r}`),
    ),
    mutate({ kind, object }) {
      if (kind.plural !== 'resourceslices' || object === undefined) return;
      for (const device of (object as ResourceSlice).spec?.devices ?? []) {
        for (const taint of device.taints ?? []) taint.timeAdded ??= formatTime(clock.now());
      }
    },
    validate(request) {
      if (request.operation !== 'CREATE' || request.namespace === undefined) return;
      const errors = adminRequests(request);
      if (errors.length === 0) return;
      const labels = registry.cache(namespaces).object(undefined, request.namespace)?.metadata.labels;
      if (labels?.[ADMIN_LABEL] !== 'true') throw invalidObject(request.kind, request.name, errors);
    },
  };
}

function adminRequests({ kind, object }: AdmissionRequest): FieldError[] {
  if (kind.plural === 'resourceclaims') return inClaim((object as ResourceClaim).spec?.devices, 'spec.devices');
  if (kind.plural !== 'resourceclaimtemplates') return [];
  return inClaim((object as ResourceClaimTemplate).spec?.spec?.devices, 'spec.spec.devices');
}

function inClaim(claim: DeviceClaim | undefined, path: string): FieldError[] {
  const why = `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`;
  return (claim?.requests ?? []).flatMap(({ exactly }, i) =>
    exactly?.adminAccess === true ? [forbidden(`${path}.requests[${i}].exactly.adminAccess`, why)] : [],
  );
}
