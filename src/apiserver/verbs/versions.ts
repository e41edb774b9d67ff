/** Conversion of what a request says to the version that is stored, and back. */
import type { FieldError } from '../../machinery/fieldError.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { setDefaults } from './objects.ts';

/** A decoded object with its defaults, as it is stored. */
export function toHub(kind: Kind, object: KubeObject): KubeObject {
  if (kind.hub === undefined) return object;
  const hub = kind.hub.kind;
  const stored = { ...kind.hub.toHub(object), apiVersion: apiVersionOf(hub), kind: hub.kind };
  setDefaults(hub, stored);
  return stored;
}

/** A stored object, as the version that was asked for has it. */
export function fromHub(kind: Kind, object: KubeObject): KubeObject {
  return kind.hub === undefined ? object : kind.hub.fromHub(object);
}

/**
 * What a spoke asks of an object beside what its hub does.
 * @param old as it is stored, absent where it is new
 * @param object as it is going to be stored
 */
export function spokeErrors(
  kind: Kind,
  sent: KubeObject,
  old: KubeObject | undefined,
  object: KubeObject,
): FieldError[] {
  if (kind.hub === undefined) return [];
  // Where nobody else validates, all of the object counts: what admission made of it, and what a status leaves out.
  const given = kind.hub.validatesAlone === true ? fromHub(kind, object) : sent;
  if (old === undefined) return kind.validate?.(given) ?? [];
  return kind.update?.validate?.(given, fromHub(kind, old)) ?? [];
}
