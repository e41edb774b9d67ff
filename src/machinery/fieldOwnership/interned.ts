/**
 * One set for each content, with its text: objects that are made alike are owned alike, so that thousands of them
 * share a few sets, and nothing of them is read, compared or encoded twice.
 */
import type { FieldSet } from './fieldSet.ts';

/** The texts of the sets that stand for their content. */
const texts = new WeakMap<object, string>();
const sets = new Map<string, FieldSet>();
/** More different ones are not remembered all at once. */
const MAX_SETS = 2_000;
/** Longer ones are hardly alike. */
const MAX_TEXT = 16_384;

/** The set with this content. */
export function interned<T extends FieldSet | undefined>(set: T): T {
  if (set === undefined || texts.has(set)) return set;
  const text = JSON.stringify(set);
  return (sets.get(text) ?? keep(text, set)) as T;
}

/** The set that this text says, as FieldsV1 writes it. */
export function internedText(text: string): FieldSet {
  return sets.get(text) ?? keep(text, frozen(JSON.parse(text) as FieldSet));
}

/** How FieldsV1 writes the set; undefined for what is not interned. */
export function textOf(set: object): string | undefined {
  return texts.get(set);
}

function keep(text: string, set: FieldSet): FieldSet {
  texts.set(set, text);
  if (text.length > MAX_TEXT) return set;
  if (sets.size >= MAX_SETS) sets.clear();
  sets.set(text, set);
  return set;
}

function frozen(set: FieldSet): FieldSet {
  for (const element in set) frozen(set[element] as FieldSet);
  return Object.freeze(set);
}
