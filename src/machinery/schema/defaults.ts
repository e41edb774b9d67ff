/** The defaults that stand in the schema, filled in where a field is absent. */
import type { ObjectType, Type } from './types.ts';

type Filler = (value: unknown) => void;

const compiled = new WeakMap<Type, Filler | null>();

/** Fills in defaults below `value`, which it changes. Fields of objects that are absent stay absent. */
export function applyDefaults(type: ObjectType, value: unknown): void {
  fillerFor(type, new Set())?.(value);
}

/** null where nothing below the type has a default, so that whole branches are skipped. */
function fillerFor(type: Type, underWay: Set<Type>): Filler | null {
  const known = compiled.get(type);
  if (known !== undefined) return known;
  // A type that contains itself: looked up again when the value is there.
  if (underWay.has(type)) return (value) => fillerFor(type, new Set())?.(value);
  underWay.add(type);
  const filler = compile(type, underWay);
  underWay.delete(type);
  compiled.set(type, filler);
  return filler;
}

function compile(type: Type, underWay: Set<Type>): Filler | null {
  switch (type.kind) {
    case 'scalar':
      return null;
    case 'list': {
      const of = fillerFor(type.of, underWay);
      return of === null
        ? null
        : (value) => {
            for (const item of value as unknown[]) of(item);
          };
    }
    case 'map': {
      const of = fillerFor(type.of, underWay);
      return of === null
        ? null
        : (value) => {
            for (const item of Object.values(value as Record<string, unknown>)) of(item);
          };
    }
    case 'object':
      return compileObject(type, underWay);
  }
}

function compileObject(type: ObjectType, underWay: Set<Type>): Filler | null {
  const own: [string, unknown][] = [];
  const below: [string, Filler][] = [];
  for (const [name, field] of Object.entries(type.fields)) {
    if (field.default !== undefined) own.push([name, field.default]);
    const filler = fillerFor(field.type, underWay);
    if (filler !== null) below.push([name, filler]);
  }
  if (own.length === 0 && below.length === 0) return null;
  return (value) => {
    const object = value as Record<string, unknown>;
    for (const [name, preset] of own) {
      if (object[name] === undefined) object[name] = typeof preset === 'object' ? structuredClone(preset) : preset;
    }
    for (const [name, fill] of below) {
      const item = object[name];
      if (item !== undefined) fill(item);
    }
  };
}
