/**
 * What an update changed: both objects are walked once together, and sets are made only of what differs.
 *
 * A hot path: every update asks for it. Where nothing differs nothing is allocated.
 */
import { jsonEqual } from '../jsonEqual.ts';
import { type FieldSet, MEMBER, nodeOf, withoutSelf } from './fieldSet.ts';
import { writtenNode } from './fieldsOf.ts';
import { compareElements } from './pathElement.ts';
import { elementOf, type FieldShape, type Items, isRecord, type Shape, type Struct, shapeFor } from './shape.ts';

/** Sets; no field is in more than one of them. */
export interface Comparison {
  readonly added?: FieldSet | undefined;
  readonly modified?: FieldSet | undefined;
  readonly removed?: FieldSet | undefined;
}

type Below = readonly (readonly [string, Comparison])[];

/** Undefined where nothing differs. */
export function compareObjects(shape: Struct, old: unknown, now: unknown): Comparison | undefined {
  return compare(shape, old, now);
}

const MODIFIED: Comparison = { modified: MEMBER };

function compare(of: Shape, old: unknown, now: unknown): Comparison | undefined {
  if (old === now) return undefined;
  if (old === undefined) return { added: writtenNode(of, now) };
  if (now === undefined) return { removed: writtenNode(of, old) };
  const shape = shapeFor(of, now);
  if (shape.kind === 'leaf') {
    if (of.kind === 'deduced' && isRecord(old)) {
      return { modified: MEMBER, removed: withoutSelf(writtenNode(of, old)) };
    }
    return jsonEqual(old, now) ? undefined : MODIFIED;
  }
  // A null has nothing in it; beside what has nothing in it either it is another value.
  if (old === null || now === null) {
    if (!isFilled(old) && !isFilled(now)) return MODIFIED;
    if (shape.kind === 'items') return compareItems(shape, arrayOf(old), arrayOf(now));
    if (isRecord(old ?? now)) return compareStructs(shape, recordOf(old), recordOf(now));
  }
  if (shape.kind === 'items') {
    if (!Array.isArray(old) || !Array.isArray(now)) return jsonEqual(old, now) ? undefined : MODIFIED;
    return compareItems(shape, old, now);
  }
  if (!isRecord(now)) return jsonEqual(old, now) ? undefined : MODIFIED;
  if (!isRecord(old)) return { modified: MEMBER, added: withoutSelf(writtenNode(of, now)) };
  return compareStructs(shape, old, now);
}

function isFilled(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const recordOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});

function compareStructs(
  shape: Struct,
  old: Record<string, unknown>,
  now: Record<string, unknown>,
): Comparison | undefined {
  let found: [string, Comparison][] | undefined;
  for (const name in now) {
    // Nearly every field is as it was. What is inherited is equal to nothing that an object of its own has.
    if (old[name] === now[name]) continue;
    const field = shape.fields.get(name);
    const below = field?.shape ?? shape.rest;
    if (below === undefined) continue;
    const was = Object.hasOwn(old, name) ? old[name] : undefined;
    const differs = compare(below, was === undefined ? emptyIfAlways(field, now[name]) : was, now[name]);
    if (differs !== undefined) {
      found ??= [];
      found.push([field?.element ?? `f:${name}`, differs]);
    }
  }
  for (const name in old) {
    if (old[name] === now[name] || old[name] === undefined || Object.hasOwn(now, name)) continue;
    const field = shape.fields.get(name);
    const below = field?.shape ?? shape.rest;
    if (below === undefined) continue;
    const differs = compare(below, old[name], emptyIfAlways(field, old[name]));
    if (differs === undefined) continue;
    found ??= [];
    found.push([field?.element ?? `f:${name}`, differs]);
  }
  return found === undefined ? undefined : together(found);
}

/** What an object has in a field that every object of its type has; undefined for other fields. */
function emptyIfAlways(field: FieldShape | undefined, value: unknown): unknown {
  if (field?.always !== true || typeof value !== 'object' || field.shape.kind === 'leaf') return undefined;
  return Array.isArray(value) ? [] : {};
}

function compareItems(shape: Items, old: readonly unknown[], now: readonly unknown[]): Comparison | undefined {
  // Nearly always the same items stand in the same places.
  const same = Math.min(old.length, now.length);
  let at = 0;
  let found: [string, Comparison][] | undefined;
  if (old.length === now.length) {
    for (; at < same; at++) if (!isSameItem(shape, old[at], now[at])) break;
  }
  if (old.length === now.length && at === same && !hasTwice(shape, now)) {
    if (shape.keys === undefined) return undefined;
    for (let i = 0; i < same; i++) {
      const differs = compare(shape.of, old[i], now[i]);
      if (differs !== undefined) {
        found ??= [];
        found.push([elementOf(shape, now[i]), differs]);
      }
    }
    return found === undefined ? undefined : together(found);
  }
  return compareByElement(shape, old, now);
}

function isSameItem(shape: Items, a: unknown, b: unknown): boolean {
  if (shape.keys === undefined) return a === b;
  if (!isRecord(a) || !isRecord(b)) return false;
  for (const { name, preset } of shape.keys) if ((a[name] ?? preset) !== (b[name] ?? preset)) return false;
  return true;
}

/** Whether two items have one element. Lists are short; long ones are looked at by their elements. */
function hasTwice(shape: Items, list: readonly unknown[]): boolean {
  if (list.length < 2) return false;
  if (list.length > 8) return new Set(list.map((item) => elementOf(shape, item))).size < list.length;
  for (let i = 1; i < list.length; i++) {
    for (let j = 0; j < i; j++) if (isSameItem(shape, list[i], list[j])) return true;
  }
  return false;
}

function compareByElement(shape: Items, old: readonly unknown[], now: readonly unknown[]): Comparison | undefined {
  const before = byElement(shape, old);
  const after = byElement(shape, now);
  const found: [string, Comparison][] = [];
  for (const element of new Set([...before.keys(), ...after.keys()])) {
    const was = before.get(element) ?? [];
    const is = after.get(element) ?? [];
    const differs = compareLike(shape, was, is);
    if (differs !== undefined) found.push([element, differs]);
  }
  return found.length === 0 ? undefined : together(found);
}

/** The items of one element: one each, but for lists in which it stands more than once; those are owned as a whole. */
function compareLike(shape: Items, was: readonly unknown[], is: readonly unknown[]): Comparison | undefined {
  if (was.length <= 1 && is.length <= 1) return compare(shape.of, was[0], is[0]);
  if (was.length >= 2 && is.length >= 2) return jsonEqual(was, is) ? undefined : MODIFIED;
  const [one] = was.length >= 2 ? is : was;
  const below = one === undefined ? undefined : withoutSelf(writtenNode(shape.of, one));
  if (was.length >= 2) return one === undefined ? { removed: MEMBER } : { modified: MEMBER, added: below };
  return one === undefined ? { added: MEMBER } : { modified: MEMBER, removed: below };
}

function byElement(shape: Items, list: readonly unknown[]): Map<string, unknown[]> {
  const all = new Map<string, unknown[]>();
  for (const item of list) {
    const element = elementOf(shape, item);
    const like = all.get(element);
    if (like === undefined) all.set(element, [item]);
    else like.push(item);
  }
  return all;
}

/** The comparison of a whole from those of its parts. */
function together(found: [string, Comparison][]): Comparison {
  if (found.length > 1) found.sort(([a], [b]) => compareElements(a, b));
  return { added: pick(found, 'added'), modified: pick(found, 'modified'), removed: pick(found, 'removed') };
}

function pick(found: Below, which: keyof Comparison): FieldSet | undefined {
  let children: [string, FieldSet][] | undefined;
  for (const [element, comparison] of found) {
    const node = comparison[which];
    if (node === undefined) continue;
    children ??= [];
    children.push([element, node]);
  }
  return children === undefined ? undefined : nodeOf(false, children);
}
