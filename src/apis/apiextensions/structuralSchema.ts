/**
 * What a structural schema makes of an object before it is validated: which fields it has, what is absent by default.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { cloneJson } from '../../machinery/clone.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Decoded, type DecodeError, decode } from '../../machinery/schema/decode.ts';
import { setOwn } from '../../machinery/setOwn.ts';
import type { JSONSchemaProps } from './customResourceDefinition.ts';

export type JsonRecord = Record<string, unknown>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The schema of a property, of elements, of values: those with a schema of their own. */
export function itemsOf(schema: JSONSchemaProps): JSONSchemaProps | undefined {
  return Array.isArray(schema.items) ? undefined : schema.items;
}

export function valuesOf(schema: JSONSchemaProps): JSONSchemaProps | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

export function propertyOf(schema: JSONSchemaProps, name: string): JSONSchemaProps | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

const joined = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

class Pruner {
  readonly unknown: string[] = [];
  readonly errors: DecodeError[] = [];

  /** A copy without what the schema does not have. @param root a resource: it has apiVersion, kind and metadata */
  prune(schema: JSONSchemaProps, value: unknown, path: string, root: boolean): unknown {
    if (Array.isArray(value)) return this.#list(schema, value, path);
    if (!isRecord(value)) return value;
    const kept = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
    const values = valuesOf(schema);
    const out: JsonRecord = {};
    for (const name of Object.keys(value)) {
      const item = value[name];
      const at = joined(path, name);
      if (root && (name === 'apiVersion' || name === 'kind')) setOwn(out, name, item);
      else if (root && name === 'metadata') setOwn(out, name, this.#metadata(item, at));
      else {
        const known = propertyOf(schema, name) ?? values;
        if (known !== undefined) {
          setOwn(out, name, this.prune(known, item, at, known['x-kubernetes-embedded-resource'] === true));
        } else if (kept) setOwn(out, name, cloneJson(item));
        else if (this.unknown.length < MAX_REPORTED) this.unknown.push(at);
      }
    }
    return out;
  }

  #list(schema: JSONSchemaProps, value: readonly unknown[], path: string): unknown[] {
    const items = itemsOf(schema);
    // Without a schema for its items, a list is of something else than lists, or is kept as a whole.
    if (items === undefined) return cloneJson(value as unknown[]);
    const root = items['x-kubernetes-embedded-resource'] === true;
    return value.map((item, i) => this.prune(items, item, `${path}[${i}]`, root));
  }

  #metadata(value: unknown, path: string): unknown {
    const { value: meta, unknown, errors } = decode<JsonRecord>(ObjectMeta, value ?? {});
    for (const name of unknown) this.unknown.push(joined(path, name));
    for (const error of errors) this.errors.push({ path: joined(path, error.path), message: error.message });
    return meta;
  }
}

const MAX_REPORTED = 50;

/** Reads a resource of the schema: a copy without unknown fields, which are told. Types are left to validation. */
export function decodeStructural(schema: JSONSchemaProps, value: unknown): Decoded<JsonRecord> {
  const pruner = new Pruner();
  if (!isRecord(value)) return { value: {}, unknown: [], errors: [{ path: '', message: 'expected an object' }] };
  for (const name of ['apiVersion', 'kind'] as const) {
    if (value[name] !== undefined && typeof value[name] !== 'string') {
      pruner.errors.push({ path: name, message: 'expected a string' });
    }
  }
  const out = pruner.prune(schema, value, '', true) as JsonRecord;
  return { value: out, unknown: pruner.unknown, errors: pruner.errors };
}

/** Prunes a default, which is a part of an object. */
export function pruned(schema: JSONSchemaProps, value: unknown): { value: unknown; unknown: readonly string[] } {
  const pruner = new Pruner();
  const out = pruner.prune(schema, value, '', schema['x-kubernetes-embedded-resource'] === true);
  return { value: out, unknown: pruner.unknown };
}

/** How much may still be filled in, in characters of JSON. */
interface Room {
  left: number;
}

type Filler = (value: unknown, room: Room) => void;

/** Several times what can be stored: a list of nothing may have a default for each of a hundred thousand elements. */
const MAX_FILLED = 8 << 20;

/**
 * What fills in defaults below a value of the schema, which it changes; undefined where there are none. It says whether
 * there was room for all of them.
 */
export function fillerOf(schema: JSONSchemaProps): ((value: unknown) => boolean) | undefined {
  const filler = fillerBelow(schema);
  if (filler === undefined) return undefined;
  return (value) => {
    const room = { left: MAX_FILLED };
    filler(value, room);
    return room.left >= 0;
  };
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? String(item) : item)).length;
}

function fillerBelow(schema: JSONSchemaProps): Filler | undefined {
  const own: [string, unknown, number][] = [];
  const nulls: string[] = [];
  const below: [string, Filler][] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default !== undefined) {
      own.push([name, property.default, name.length + sizeOf(property.default)]);
      // null stands for absence where it is no value of the field.
      if (property.nullable !== true) nulls.push(name);
    }
    const filler = fillerBelow(property);
    if (filler !== undefined) below.push([name, filler]);
  }
  const items = itemsOf(schema);
  const ofItems = items === undefined ? undefined : fillerBelow(items);
  const values = valuesOf(schema);
  const ofValues = values === undefined ? undefined : fillerBelow(values);
  const valueDefault = values?.nullable === true ? undefined : values?.default;
  if (
    own.length === 0 &&
    below.length === 0 &&
    ofItems === undefined &&
    ofValues === undefined &&
    valueDefault === undefined
  ) {
    return undefined;
  }
  const valueSize = valueDefault === undefined ? 0 : sizeOf(valueDefault);
  return (value, room) => {
    if (room.left < 0) return;
    if (Array.isArray(value)) {
      if (ofItems !== undefined) for (const item of value) ofItems(item, room);
      return;
    }
    if (!isRecord(value)) return;
    for (const name of nulls) if (value[name] === null) delete value[name];
    for (const [name, preset, size] of own) {
      if (Object.hasOwn(value, name)) continue;
      room.left -= size;
      if (room.left < 0) return;
      setOwn<unknown>(value, name, cloneJson(preset));
    }
    for (const [name, fill] of below) if (Object.hasOwn(value, name)) fill(value[name], room);
    if (ofValues === undefined && valueDefault === undefined) return;
    for (const name of Object.keys(value)) {
      if (propertyOf(schema, name) !== undefined) continue;
      if (value[name] === null && valueDefault !== undefined) {
        room.left -= valueSize;
        if (room.left < 0) return;
        setOwn<unknown>(value, name, cloneJson(valueDefault));
      }
      ofValues?.(value[name], room);
    }
  };
}
