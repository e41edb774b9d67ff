import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { MAX_CONFIGS, validateConfiguration, validateSelectors } from './claimValidation.ts';
import { validateEach } from './names.ts';
import { DeviceSelector, OpaqueDeviceConfiguration } from './resourceClaim.ts';

export const DeviceClass = object('io.k8s.api.resource.v1.DeviceClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, DeviceClassSpec),
}));
export interface DeviceClass extends Infer<typeof DeviceClass> {}

export const DeviceClassSpec = object('io.k8s.api.resource.v1.DeviceClassSpec', () => ({
  selectors: opt(1, list(DeviceSelector), { doc: 'Which devices belong to it: each selector must be true.' }),
  config: opt(2, list(DeviceClassConfiguration), { doc: 'What drivers are told of each device of the class.' }),
  extendedResourceName: opt(4, str, {
    pointer: true,
    doc: 'Under this name pods may ask for its devices as for an extended resource.',
  }),
}));
export interface DeviceClassSpec extends Infer<typeof DeviceClassSpec> {}

export const DeviceClassConfiguration = object('io.k8s.api.resource.v1.DeviceClassConfiguration', () => ({
  opaque: opt(undefined, OpaqueDeviceConfiguration),
}));
export interface DeviceClassConfiguration extends Infer<typeof DeviceClassConfiguration> {}

/** Device classes: kinds of devices that claims may ask for. */
export const deviceClasses = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  schema: DeviceClass,
  namespaced: false,
  hasGeneration: true,
  validate: (deviceClass) => validateDeviceClass(deviceClass),
  update: { validate: validateDeviceClass },
  columns: [NAME_COLUMN, AGE_COLUMN],
});

/** What an update leaves alone was let in before. */
function validateDeviceClass(deviceClass: DeviceClass, old?: DeviceClass): FieldError[] {
  const errors: FieldError[] = [];
  const spec = deviceClass.spec ?? {};
  if (old === undefined || !jsonEqual(spec.selectors, old.spec?.selectors)) {
    validateSelectors(spec.selectors, 'spec.selectors', errors);
  }
  if (old === undefined || !jsonEqual(spec.config, old.spec?.config)) {
    validateEach(spec.config, MAX_CONFIGS, 'spec.config', errors, ({ opaque }, path) =>
      validateConfiguration(opaque, path, errors),
    );
  }
  const name = spec.extendedResourceName;
  if (name !== undefined && !isExtendedResource(name)) {
    errors.push(invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'));
  }
  return errors;
}

/** A name with a domain that is not Kubernetes' own. */
function isExtendedResource(name: string): boolean {
  if (!name.includes('/') || name.split('/')[0]?.endsWith('kubernetes.io') || name.startsWith('requests.'))
    return false;
  return qualifiedName(`requests.${name}`).length === 0;
}
