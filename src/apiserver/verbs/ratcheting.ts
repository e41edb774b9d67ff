/**
 * An update is not held responsible for what was wrong before it: an object that was stored when the rules were
 * others can still be scaled, labelled and brought to its end. What it changes has to be right.
 * Source: https://kubernetes.io/docs/reference/using-api/declarative-validation/ (validation ratcheting)
 */
import type { FieldError } from '../../machinery/fieldError.ts';
import type { Kind, KubeObject } from '../../machinery/kind.ts';

/** @param faults of the object as it would be stored; @param old as it is stored */
export function faultsOfUpdate(kind: Kind, faults: readonly FieldError[], old: KubeObject): readonly FieldError[] {
  // Custom resources have rules of their own for this.
  if (faults.length === 0 || kind.validate === undefined || kind.withoutStrategicMerge === true) return faults;
  const before = new Set(kind.validate(old).map(identity));
  return before.size === 0 ? faults : faults.filter((fault) => !before.has(identity(fault)));
}

const identity = ({ type, field, value, detail }: FieldError) => JSON.stringify([type, field, value, detail]);
