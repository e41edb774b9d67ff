import { type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, bytes, type Infer, map, object, opt, str } from '../../machinery/schema/types.ts';
import { setOwn } from '../../machinery/setOwn.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { sizeOf, validateImmutableData, validateKeysOf, validateSize } from './validation/data.ts';

export const Secret = object('io.k8s.api.core.v1.Secret', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  data: opt(2, map(bytes)),
  type: opt(3, str),
  stringData: opt(4, map(str)),
  immutable: opt(5, bool),
}));
export interface Secret extends Infer<typeof Secret> {}

/** The keys that a secret of a type must have. */
const NEEDED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
]);

/** Keys that hold the configuration of a client of registries, in JSON. */
const JSON_KEYS = ['.dockercfg', '.dockerconfigjson'];

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** Secrets: data that only those see who may. */
export const secrets = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  schema: Secret,
  setDefaults(secret) {
    secret.type ||= 'Opaque';
    // stringData is a way to write, never to read.
    if (secret.stringData === undefined) return;
    const data: Record<string, string> = { ...secret.data };
    for (const [key, text] of Object.entries(secret.stringData))
      setOwn(data, key, Buffer.from(text).toString('base64'));
    secret.data = data;
    delete secret.stringData;
  },
  validate: validateSecret,
  update: {
    validate(secret, old) {
      const errors = [...validateSecret(secret), ...validateImmutableData(secret, old, ['data'])];
      if (secret.type !== old.type) errors.push(invalid('type', secret.type, 'field is immutable'));
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    { name: 'Type', type: 'string', description: 'What the secret is for.', value: (secret) => secret.type ?? '' },
    {
      name: 'Data',
      type: 'string',
      description: 'How many keys it has.',
      value: (secret) => Object.keys(secret.data ?? {}).length,
    },
    AGE_COLUMN,
  ],
  selectableFields: { type: (secret) => secret.type ?? '' },
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function validateSecret(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  validateKeysOf(secret.data, 'data', errors);
  validateSize(sizeOf(secret.data, 'base64'), 'data', errors);
  for (const key of NEEDED_KEYS.get(secret.type ?? '') ?? []) {
    const value = secret.data?.[key];
    if (value === undefined) errors.push(required(`data[${key}]`));
    else if (JSON_KEYS.includes(key) && !isJson(Buffer.from(value, 'base64').toString())) {
      // What is in a secret is shown to nobody.
      errors.push(invalid(`data[${key}]`, '<secret contents redacted>', 'must be JSON'));
    }
  }
  if (secret.type === 'kubernetes.io/service-account-token' && !secret.metadata?.annotations?.[SERVICE_ACCOUNT_NAME]) {
    errors.push(required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`));
  }
  if (
    secret.type === 'kubernetes.io/basic-auth' &&
    secret.data?.username === undefined &&
    secret.data?.password === undefined
  ) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  return errors;
}
