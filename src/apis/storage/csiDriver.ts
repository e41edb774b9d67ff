import { duplicate, type FieldError, invalid, notSupported } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int64, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';

export const CSIDriver = object('io.k8s.api.storage.v1.CSIDriver', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, CSIDriverSpec),
}));
export interface CSIDriver extends Infer<typeof CSIDriver> {}

export const CSIDriverSpec = object('io.k8s.api.storage.v1.CSIDriverSpec', () => ({
  attachRequired: opt(1, bool, {
    default: true,
    doc: 'Whether volumes are attached to a node before they are mounted.',
  }),
  podInfoOnMount: opt(2, bool, { doc: 'Whether the driver is told for which pod it mounts.' }),
  volumeLifecycleModes: opt(3, list(str, { type: 'set' }), {
    doc: 'Persistent (default), Ephemeral for inline volumes, or both.',
  }),
  storageCapacity: opt(4, bool, { doc: 'Whether the scheduler asks where there is room left.' }),
  fsGroupPolicy: opt(5, str, {
    pointer: true,
    doc: 'When a volume is given to the fsGroup of its pod: ReadWriteOnceWithFSType, File or None.',
  }),
  tokenRequests: opt(6, list(TokenRequest), { doc: 'Tokens of the service account of the pod that the driver gets.' }),
  requiresRepublish: opt(7, bool, { doc: 'Whether mounts are refreshed from time to time.' }),
  seLinuxMount: opt(8, bool, { doc: 'Whether the driver mounts with an SELinux context.' }),
  nodeAllocatableUpdatePeriodSeconds: opt(9, int64, {
    doc: 'How often the number of volumes that a node takes is asked for; at least 10.',
  }),
  serviceAccountTokenInSecrets: opt(10, bool),
  preventPodSchedulingIfMissing: opt(11, bool),
}));
export interface CSIDriverSpec extends Infer<typeof CSIDriverSpec> {}

export const TokenRequest = object('io.k8s.api.storage.v1.TokenRequest', () => ({
  audience: req(1, str, { doc: 'For whom the token is; empty for the API server.' }),
  expirationSeconds: opt(2, int64),
}));
export interface TokenRequest extends Infer<typeof TokenRequest> {}

/** CSI drivers: how the cluster works with a driver of volumes. */
export const csiDrivers = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  schema: CSIDriver,
  namespaced: false,
  hasGeneration: true,
  returnsDeleted: true,
  setDefaults(driver) {
    driver.spec ??= {};
    const { spec } = driver;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  },
  validate: (driver) => validateSpec(driver.spec ?? {}),
  update: {
    validate(driver, old) {
      const errors = validateSpec(driver.spec ?? {});
      for (const [field, path] of IMMUTABLE) {
        const value = driver.spec?.[field];
        if (!jsonEqual(value, old.spec?.[field])) errors.push(invalid(`spec.${path}`, value, 'field is immutable'));
      }
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'AttachRequired',
      type: 'boolean',
      description: 'Whether its volumes are attached before they are mounted.',
      value: (driver) => driver.spec?.attachRequired ?? true,
    },
    {
      name: 'PodInfoOnMount',
      type: 'boolean',
      description: 'Whether it is told for which pod it mounts.',
      value: (driver) => driver.spec?.podInfoOnMount ?? false,
    },
    {
      name: 'StorageCapacity',
      type: 'boolean',
      description: 'Whether the scheduler asks where there is room left.',
      value: (driver) => driver.spec?.storageCapacity ?? false,
    },
    {
      name: 'TokenRequests',
      type: 'string',
      description: 'For whom it gets tokens of pods.',
      value: (driver) => driver.spec?.tokenRequests?.map((t) => t.audience ?? '').join(',') ?? '<unset>',
    },
    {
      name: 'RequiresRepublish',
      type: 'boolean',
      description: 'Whether its mounts are refreshed from time to time.',
      value: (driver) => driver.spec?.requiresRepublish ?? false,
    },
    {
      name: 'Modes',
      type: 'string',
      description: 'What lives its volumes can have.',
      value: (driver) => (driver.spec?.volumeLifecycleModes ?? []).join(',') || '<none>',
    },
    AGE_COLUMN,
  ],
});

/** Fields that never change, and the paths under which clients know that. */
const IMMUTABLE = [
  ['attachRequired', 'attachedRequired'],
  ['volumeLifecycleModes', 'volumeLifecycleModes'],
] as const;

const FS_GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType'];
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral'];
const LEAST_TOKEN_SECONDS = 600;
const MOST_TOKEN_SECONDS = 2 ** 32;
const LEAST_UPDATE_SECONDS = 10;

function validateSpec(spec: CSIDriverSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.fsGroupPolicy !== undefined && !FS_GROUP_POLICIES.includes(spec.fsGroupPolicy)) {
    errors.push(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, FS_GROUP_POLICIES));
  }
  validateTokenRequests(spec.tokenRequests ?? [], errors);
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (!LIFECYCLE_MODES.includes(mode)) {
      errors.push(notSupported('spec.volumeLifecycleModes', mode, LIFECYCLE_MODES));
    }
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < LEAST_UPDATE_SECONDS) {
    const detail = `must be greater than or equal to ${LEAST_UPDATE_SECONDS} seconds`;
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail));
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && (spec.tokenRequests ?? []).length === 0) {
    const detail = 'may only be set together with tokenRequests';
    errors.push(invalid('spec.serviceAccountTokenInSecrets', spec.serviceAccountTokenInSecrets, detail));
  }
  return errors;
}

function validateTokenRequests(requests: readonly TokenRequest[], errors: FieldError[]): void {
  const audiences = new Set<string>();
  for (const [i, { audience = '', expirationSeconds: seconds }] of requests.entries()) {
    const at = `spec.tokenRequests[${i}]`;
    if (audiences.has(audience)) {
      errors.push(duplicate(`${at}.audience`, audience));
      continue;
    }
    audiences.add(audience);
    if (seconds === undefined) continue;
    if (seconds < LEAST_TOKEN_SECONDS) {
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
    }
    if (seconds > MOST_TOKEN_SECONDS) {
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
    }
  }
}
