/**
 * How field ownership sees a type: what is owned as a whole (leaves), what by its fields, and what by its items.
 * Derived from a kind's schema when it is first needed.
 */
import type { ListType, ObjectType, Type } from '../schema/types.ts';
import { keyElement, valueElement } from './pathElement.ts';

/** Owned as a whole: scalars, and atomic lists, maps and objects. */
export interface Leaf {
  readonly kind: 'leaf';
}

/** What nothing is known of, below preserveUnknownFields: objects are owned by field, lists as a whole. */
export interface Deduced {
  readonly kind: 'deduced';
}

export interface Struct {
  readonly kind: 'struct';
  readonly fields: ReadonlyMap<string, FieldShape>;
  /** the same, by name: a walk over an array takes a fraction of the time of one over a map */
  readonly ordered: readonly FieldShape[];
  /** of the fields that are not declared; absent: there are none */
  readonly rest: Shape | undefined;
  /** of those the ones that nobody owns */
  readonly unowned?: ReadonlySet<string>;
}

export interface FieldShape {
  readonly name: string;
  readonly shape: Shape;
  /** `f:name` */
  readonly element: string;
  /** `"f:name":` */
  readonly text: string;
  /** an object of the kind has it even when it is empty, so nobody owns the field itself by creating it */
  readonly always: boolean;
  /** nobody owns the field itself, even where it is empty */
  readonly holder?: boolean;
}

export interface Items {
  readonly kind: 'items';
  readonly of: Shape;
  /** the keys of a map's items, by name in order; absent for a set */
  readonly keys: readonly ItemKey[] | undefined;
}

export interface ItemKey {
  readonly name: string;
  readonly preset: unknown;
}

export type Shape = Leaf | Deduced | Struct | Items;

export const LEAF: Leaf = { kind: 'leaf' };
const DEDUCED: Deduced = { kind: 'deduced' };

/** What an object of unknown structure is, and an atomic list where one stands there. */
export const DEDUCED_OBJECT: Struct = { kind: 'struct', fields: new Map(), ordered: [], rest: DEDUCED };

/** What is never owned: it says which object it is, or only the server sets it. */
const UNOWNED_META: ReadonlySet<string> = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
]);
const UNOWNED: ReadonlySet<string> = new Set(['apiVersion', 'kind']);

const roots = new WeakMap<ObjectType, Struct>();
const shapes = new WeakMap<Type, Shape>();

/** The shape of a kind's objects, without the fields that nobody owns. */
export function rootShape(schema: ObjectType): Struct {
  let root = roots.get(schema);
  if (root === undefined) {
    const isBuiltIn = schema.name.startsWith('io.k8s.');
    const all = structFields(schema, isBuiltIn);
    const fields = new Map<string, FieldShape>();
    for (const [name, field] of all) {
      if (UNOWNED.has(name)) continue;
      fields.set(
        name,
        name === 'metadata' ? { ...field, always: true, holder: true, shape: metaShape(schema) } : field,
      );
    }
    root = schema.preserveUnknownFields
      ? { kind: 'struct', fields, ordered: [...fields.values()], rest: DEDUCED, unowned: UNOWNED }
      : { kind: 'struct', fields, ordered: [...fields.values()], rest: undefined };
    roots.set(schema, root);
  }
  return root;
}

function metaShape(schema: ObjectType): Shape {
  const meta = schema.fields.metadata?.type;
  if (meta?.kind !== 'object') return LEAF;
  const fields = new Map([...structFields(meta, false)].filter(([name]) => !UNOWNED_META.has(name)));
  return { kind: 'struct', fields, ordered: [...fields.values()], rest: undefined };
}

/** Objects that Kubernetes' types hold by value: an empty object has them, too. */
const HELD_BY_VALUE: ReadonlySet<string> = new Set(['metadata', 'spec', 'status', 'strategy', 'updateStrategy']);

function structFields(type: ObjectType, isBuiltIn: boolean): Map<string, FieldShape> {
  const fields = new Map<string, FieldShape>();
  for (const name of Object.keys(type.fields).sort()) {
    // The name comes from the fields themselves.
    const field = type.fields[name] as ObjectType['fields'][string];
    fields.set(name, {
      name,
      shape: shapeOf(field.type),
      element: `f:${name}`,
      text: `${JSON.stringify(`f:${name}`)}:`,
      always: isBuiltIn && field.type.kind !== 'scalar' && (field.required || HELD_BY_VALUE.has(name)),
    });
  }
  return fields;
}

function shapeOf(type: Type): Shape {
  let shape = shapes.get(type);
  if (shape === undefined) {
    shape = build(type);
    shapes.set(type, shape);
  }
  return shape;
}

function build(type: Type): Shape {
  switch (type.kind) {
    case 'scalar':
      return type.scalar === 'any' ? DEDUCED : LEAF;
    case 'list':
      if (type.type === 'atomic') return LEAF;
      return new LazyItems(type);
    case 'map':
      return type.atomic ? LEAF : new LazyStruct(undefined, type.of);
    case 'object':
      return type.atomic ? LEAF : new LazyStruct(type, undefined);
  }
}

/** Types refer to each other in circles, so what is below is looked at when it is first met. */
class LazyStruct implements Struct {
  readonly kind = 'struct';
  readonly #type: ObjectType | undefined;
  readonly #of: Type | undefined;
  #fields: ReadonlyMap<string, FieldShape> | undefined;
  #ordered: readonly FieldShape[] | undefined;
  #rest: Shape | undefined;

  constructor(type: ObjectType | undefined, of: Type | undefined) {
    this.#type = type;
    this.#of = of;
  }

  get fields(): ReadonlyMap<string, FieldShape> {
    this.#fields ??=
      this.#type === undefined ? NO_FIELDS : structFields(this.#type, this.#type.name.startsWith('io.k8s.'));
    return this.#fields;
  }

  get ordered(): readonly FieldShape[] {
    this.#ordered ??= [...this.fields.values()];
    return this.#ordered;
  }

  get rest(): Shape | undefined {
    if (this.#of !== undefined) this.#rest ??= shapeOf(this.#of);
    else if (this.#type?.preserveUnknownFields === true) this.#rest = DEDUCED;
    return this.#rest;
  }
}

const NO_FIELDS: ReadonlyMap<string, FieldShape> = new Map();

class LazyItems implements Items {
  readonly kind = 'items';
  readonly keys: readonly ItemKey[] | undefined;
  readonly #type: ListType;
  #of: Shape | undefined;

  constructor(type: ListType) {
    this.#type = type;
    const fields = type.of.kind === 'object' ? type.of.fields : {};
    this.keys =
      type.type === 'set'
        ? undefined
        : [...(type.keys ?? [])].sort().map((name) => ({ name, preset: fields[name]?.default }));
  }

  get of(): Shape {
    this.#of ??= shapeOf(this.#type.of);
    return this.#of;
  }
}

/** The shape for a value: of what is deduced, that of the value. */
export function shapeFor(shape: Shape, value: unknown): Leaf | Struct | Items {
  if (shape.kind !== 'deduced') return shape;
  return isRecord(value) || value === null ? DEDUCED_OBJECT : LEAF;
}

/** The path element of an item. An item of a map without any of its keys has no keys in it. */
export function elementOf(items: Items, item: unknown): string {
  if (items.keys === undefined) return valueElement(item);
  const keys: [string, unknown][] = [];
  if (isRecord(item)) {
    for (const { name, preset } of items.keys) {
      const value = item[name] ?? preset;
      if (value !== undefined) keys.push([name, value]);
    }
  }
  return keyElement(keys);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
