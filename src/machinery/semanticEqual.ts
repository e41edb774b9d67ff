/**
 * Equality of values of the API, as an update sees it: what is empty equals what is absent (strings,
 * lists, maps), quantities are compared by their amount. An empty object is not an absent one, as
 * `emptyDir: {}` says something.
 */
import { jsonEqual } from './jsonEqual.ts';
import { compareQuantities } from './quantity.ts';
import type { Type } from './schema/types.ts';

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
        const field = type.fields[name] as { type: Type };
        if (!semanticEqual(field.type, x[name], y[name])) return false;
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
