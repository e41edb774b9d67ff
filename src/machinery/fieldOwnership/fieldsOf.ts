/**
 * The fields of a value as a set: what a manager owns that applied it, or that wrote it where nothing was.
 *
 * A hot path: every create asks for it. The set is written as text, in order, and looked up by that: objects
 * of one structure share one set.
 */
import { type FieldSet, MEMBER } from './fieldSet.ts';
import { internedText } from './interned.ts';
import { compareElements } from './pathElement.ts';
import { elementOf, type Items, type Shape, type Struct, shapeFor } from './shape.ts';

/**
 * - `applied`: the leaves, the items and the entries of maps, but not the fields that only hold others
 * - `written`: those, too
 * - `created`: those that an empty object of the kind does not have
 */
type Mode = 'applied' | 'written' | 'created';

/** What is applied by applying `value`. */
export function appliedFields(shape: Struct, value: unknown): FieldSet | undefined {
  return setOfText(node(shape, value, false, 'applied'));
}

/** What an object has more than an empty one. */
export function createdFields(shape: Struct, value: unknown): FieldSet | undefined {
  return setOfText(node(shape, value, false, 'created'));
}

/** All that is new where `value` is put in place of nothing, as the node of its element. */
export function writtenNode(shape: Shape, value: unknown): FieldSet {
  return setOfText(node(shape, value, true, 'written')) ?? MEMBER;
}

function setOfText(text: string): FieldSet | undefined {
  if (text === '') return undefined;
  return text === '{}' ? MEMBER : internedText(text);
}

/** The text of a value's node; '' where nothing in it is owned. @param self its field is owned itself */
function node(of: Shape, value: unknown, self: boolean, mode: Mode): string {
  const shape = shapeFor(of, value);
  if (shape.kind === 'leaf' || typeof value !== 'object' || value === null) return '{}';
  if (shape.kind === 'items') {
    if (!Array.isArray(value)) return '{}';
    return wrap(items(shape, value, mode), self);
  }
  if (Array.isArray(value)) return '{}';
  const inner = fields(shape, value as Record<string, unknown>, mode);
  return wrap(inner, self);
}

function wrap(inner: string, self: boolean): string {
  if (inner === '') return self ? '{}' : '';
  return self ? `{".":{},${inner}}` : `{${inner}}`;
}

function fields(shape: Struct, value: Record<string, unknown>, mode: Mode): string {
  let text = '';
  for (const field of shape.ordered) {
    const item = value[field.name];
    if (item === undefined) continue;
    let below = '{}';
    if (field.shape.kind !== 'leaf') {
      const created = mode === 'created' && field.always;
      below = node(field.shape, item, mode !== 'applied' && !created, created ? 'created' : belowOf(mode));
      if (below === '') {
        if (mode !== 'applied' || field.holder === true || !isEmptyObject(item)) continue;
        below = '{}';
      }
    }
    text += text === '' ? field.text + below : `,${field.text}${below}`;
  }
  if (shape.rest === undefined) return text;
  const others: string[] = [];
  for (const name of Object.keys(value)) {
    if (value[name] === undefined || shape.fields.has(name) || shape.unowned?.has(name)) continue;
    others.push(name);
  }
  if (others.length === 0) return text;
  others.sort();
  if (text === '' && shape.rest.kind === 'leaf')
    return others.map((name) => `${JSON.stringify(`f:${name}`)}:{}`).join();
  const entries = others.map(
    (name) => [`f:${name}`, node(shape.rest as Shape, value[name], true, belowOf(mode))] as const,
  );
  if (text === '') return entries.map(entryText).join();
  // Declared and other fields in one order.
  const declared = Object.entries(JSON.parse(`{${text}}`) as object).map(
    ([element, below]) => [element, JSON.stringify(below)] as const,
  );
  return [...declared, ...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(entryText)
    .join();
}

const entryText = ([element, below]: readonly [string, string]) => `${JSON.stringify(element)}:${below}`;

/** What is below something new is new as a whole. */
const belowOf = (mode: Mode): Mode => (mode === 'created' ? 'written' : mode);

function isEmptyObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const _ in value) return false;
  return true;
}

function items(shape: Items, list: readonly unknown[], mode: Mode): string {
  const below = belowOf(mode);
  if (list.length === 1) {
    return entryText([elementOf(shape, list[0]), node(shape.of, list[0], true, below)]);
  }
  const entries = new Map<string, string>();
  for (const item of list) {
    const element = elementOf(shape, item);
    // What stands there twice is owned as a whole.
    entries.set(element, entries.has(element) ? '{}' : node(shape.of, item, true, below));
  }
  return [...entries]
    .sort(([a], [b]) => compareElements(a, b))
    .map(entryText)
    .join();
}
