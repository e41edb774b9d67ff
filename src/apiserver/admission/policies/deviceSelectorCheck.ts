/** Refuses claims and classes whose selectors of devices do not compile. CEL is loaded when the first of them comes. */
import type { DeviceClass } from '../../../apis/resource/deviceClass.ts';
import type { DeviceClaim, DeviceSelector, ResourceClaim } from '../../../apis/resource/resourceClaim.ts';
import type { ResourceClaimTemplate } from '../../../apis/resource/resourceClaimTemplate.ts';
import { type FieldError, invalid } from '../../../machinery/fieldError.ts';
import { jsonEqual } from '../../../machinery/jsonEqual.ts';
import type { KubeObject } from '../../../machinery/kind.ts';
import { invalidObject } from '../../../machinery/status.ts';
import type { AdmissionPlugin } from '../plugin.ts';

interface Selector {
  readonly path: string;
  readonly text: string;
}

export const deviceSelectorCheck: AdmissionPlugin = {
  name: 'DeviceSelectorCheck',
  resources: new Set(['resourceclaims', 'resourceclaimtemplates', 'deviceclasses'].map((r) => `resource.k8s.io/${r}`)),
  validate({ object, oldObject, kind, name, subresource }) {
    if (object === undefined || subresource !== '') return;
    const selectors = selectorsOf(object, kind.kind);
    // What is stored was compiled before.
    if (selectors.length === 0 || (oldObject && jsonEqual(selectors, selectorsOf(oldObject, kind.kind)))) return;
    return faultsOf(selectors).then((errors) => {
      if (errors.length > 0) throw invalidObject(kind, name, errors);
    });
  },
};

async function faultsOf(selectors: readonly Selector[]): Promise<FieldError[]> {
  const { deviceSelectorFault } = await import('./expression.ts');
  const errors: FieldError[] = [];
  for (const { path, text } of selectors) {
    const fault = deviceSelectorFault(text);
    if (fault !== undefined) errors.push(invalid(path, text, fault));
  }
  return errors;
}

function selectorsOf(object: KubeObject, kind: string): Selector[] {
  if (kind === 'DeviceClass') return list((object as DeviceClass).spec?.selectors, 'spec.selectors');
  if (kind === 'ResourceClaim') return ofClaim((object as ResourceClaim).spec?.devices, 'spec.devices');
  return ofClaim((object as ResourceClaimTemplate).spec?.spec?.devices, 'spec.spec.devices');
}

function ofClaim(claim: DeviceClaim | undefined, path: string): Selector[] {
  return (claim?.requests ?? []).flatMap((request, i) => [
    ...list(request.exactly?.selectors, `${path}.requests[${i}].exactly.selectors`),
    ...(request.firstAvailable ?? []).flatMap((alternative, j) =>
      list(alternative.selectors, `${path}.requests[${i}].firstAvailable[${j}].selectors`),
    ),
  ]);
}

const list = (selectors: readonly DeviceSelector[] | undefined, path: string): Selector[] =>
  (selectors ?? []).map(({ cel }, i) => ({ path: `${path}[${i}].cel.expression`, text: cel?.expression ?? '' }));
