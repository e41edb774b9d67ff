/** For tests: objects as the API server has them after decoding and defaulting, and what it finds wrong with them. */
import type { FieldError } from '../../machinery/fieldError.ts';
import { deepFreeze } from '../../machinery/freeze.ts';
import type { Kind, KubeObject, UpdateRules } from '../../machinery/kind.ts';
import { decode } from '../../machinery/schema/decode.ts';
import { applyDefaults } from '../../machinery/schema/defaults.ts';

/** When the updates of `updated` happen. */
const UPDATED_AT = Date.UTC(2026, 0, 2);

/** Decoded and defaulted, as on its way into the server. */
export function received<T extends KubeObject>(kind: Kind<T>, json: unknown): T {
  const { value } = decode<T>(kind.schema, structuredClone(json));
  applyDefaults(kind.schema, value);
  kind.setDefaults?.(value);
  return value;
}

/** As it is stored by a create. */
export function created<T extends KubeObject>(kind: Kind<T>, json: unknown): T {
  const object = received(kind, json);
  kind.prepareForCreate?.(object);
  kind.completeForCreate?.(object);
  return object;
}

const shown = (errors: readonly FieldError[]) => errors.map((e) => `${e.field}: ${e.type.replace('FieldValue', '')}`);

/** What a create finds wrong, as `spec.containers: Required`. */
export function createFaults<T extends KubeObject>(kind: Kind<T>, json: unknown): string[] {
  return shown(kind.validate?.(created(kind, json)) ?? []);
}

/** An update by these rules: what comes out, and what it finds wrong. */
export function updated<T extends KubeObject>(
  kind: Kind<T>,
  rules: UpdateRules<T> | undefined,
  oldJson: unknown,
  newJson: unknown,
): { object: T; faults: string[] } {
  const old = deepFreeze(structuredClone(created(kind, oldJson)));
  const object = received(kind, newJson);
  rules?.prepare?.(object, old, UPDATED_AT);
  return { object, faults: shown(rules?.validate?.(object, old) ?? []) };
}
