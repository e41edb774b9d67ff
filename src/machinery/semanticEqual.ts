/**
 * Equality of values of the API, as an update sees it: what is empty equals what is absent (strings,
 * lists, maps), quantities are compared by their amount. An empty object is not an absent one, as
 * `emptyDir: {}` says something.
 */
import { jsonEqual } from './jsonEqual.ts';
import { compareQuantities } from './quantity.ts';
import type { Field, Type } from './schema/types.ts';
import { isPointer } from './schema/wireLayout.ts';

/** Whether two values of one schema type mean the same. */
export function semanticEqual(type: Type, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  switch (type.kind) {
    case 'scalar':
      return equalScalars(type.scalar, a, b);
    case 'list': {
      const x = (a ?? []) as unknown[];
      const y = (b ?? []) as unknown[];
      if (x.length !== y.length) return false;
      for (let i = 0; i < x.length; i++) if (!semanticEqual(type.of, x[i], y[i])) return false;
      return true;
    }
    case 'map': {
      const x = (a ?? {}) as Record<string, unknown>;
      const y = (b ?? {}) as Record<string, unknown>;
      const keys = Object.keys(x);
      if (keys.length !== Object.keys(y).length) return false;
      for (const key of keys) if (!Object.hasOwn(y, key) || !semanticEqual(type.of, x[key], y[key])) return false;
      return true;
    }
    case 'object': {
      if (a === undefined || b === undefined) return false;
      const x = a as Record<string, unknown>;
      const y = b as Record<string, unknown>;
      for (const name in type.fields) {
        // The name comes from the fields themselves.
        const field = type.fields[name] as Field;
        const one = x[name];
        const other = y[name];
        if (semanticEqual(field.type, one, other)) continue;
        // Without a pointer in Go, zero is absent: no encoding but JSON tells them apart.
        if (isPointer(name, field) || !isZero(field.type, one) || !isZero(field.type, other)) return false;
      }
      return true;
    }
  }
}

function equalScalars(scalar: string, a: unknown, b: unknown): boolean {
  if (scalar === 'quantity')
    return a !== undefined && b !== undefined && compareQuantities(a as string, b as string) === 0;
  if (scalar === 'any' || scalar === 'rawObject') return jsonEqual(a, b);
  return (a === undefined && b === '') || (a === '' && b === undefined);
}

/** Whether a value is absent, or what Go has where it is absent. */
function isZero(type: Type, value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  if (type.kind === 'scalar') return type.scalar === 'quantity' && value === '0';
  if (type.kind !== 'object') return Object.keys(value).length === 0;
  const fields = value as Record<string, unknown>;
  for (const name in type.fields) {
    // The name comes from the fields themselves.
    const field = type.fields[name] as Field;
    const isPart = field.type.kind === 'object' || field.type.kind === 'scalar';
    if (isPart && isPointer(name, field) ? fields[name] !== undefined : !isZero(field.type, fields[name])) return false;
  }
  return true;
}
