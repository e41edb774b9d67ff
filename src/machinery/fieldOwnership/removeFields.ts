/** Taking fields out of an object by their set, and the sets that this needs. */
import { setOwn } from '../setOwn.ts';
import { childrenOf, type FieldSet, isMember, nodeOf } from './fieldSet.ts';
import { elementOf, isRecord, type Shape, type Struct, shapeFor } from './shape.ts';

/**
 * The object without the members of the set. A declared field that is left with nothing in it goes, too; entries
 * of maps and items of lists stay, as they say something by being there. The object is not changed.
 */
export function removeFields(shape: Struct, object: unknown, set: FieldSet | undefined): unknown {
  return set === undefined ? object : (remove(shape, object, set) ?? {});
}

/** Undefined where nothing is left. */
function remove(of: Shape, value: unknown, set: FieldSet): unknown {
  const shape = shapeFor(of, value);
  if (shape.kind === 'struct' && isRecord(value)) {
    const out: Record<string, unknown> = {};
    let left = 0;
    for (const name of Object.keys(value)) {
      const declared = shape.fields.get(name)?.shape;
      const item = keep(declared ?? shape.rest, value[name], set[`f:${name}`], declared === undefined);
      if (item === undefined) continue;
      setOwn(out, name, item);
      left++;
    }
    return left === 0 ? undefined : out;
  }
  if (shape.kind === 'items' && Array.isArray(value)) {
    const out: unknown[] = [];
    for (const item of value) {
      const kept = keep(shape.of, item, set[elementOf(shape, item)], true);
      if (kept !== undefined) out.push(kept);
    }
    return out.length === 0 ? undefined : out;
  }
  return value;
}

function keep(shape: Shape | undefined, value: unknown, node: FieldSet | undefined, empty: boolean): unknown {
  if (node === undefined || shape === undefined) return value;
  if (isMember(node)) return undefined;
  const kept = remove(shape, value, node);
  if (kept !== undefined || !empty) return kept;
  return Array.isArray(value) ? [] : {};
}

/** The set with every declared field that holds a member: what is left without them need not stay. */
export function withNamedFields(of: Shape | undefined, set: FieldSet | undefined): FieldSet | undefined {
  return set === undefined ? undefined : named(of, set, false);
}

function named(of: Shape | undefined, set: FieldSet, self: boolean): FieldSet | undefined {
  const children: [string, FieldSet][] = [];
  for (const [element, node] of childrenOf(set)) {
    const name = element.startsWith('f:') ? element.slice(2) : undefined;
    const declared = of?.kind === 'struct' && name !== undefined ? of.fields.get(name) : undefined;
    let below: Shape | undefined = declared?.shape;
    if (below === undefined && of?.kind === 'struct') below = of.rest;
    if (below === undefined && of?.kind === 'items') below = of.of;
    const member = isMember(node) || declared !== undefined;
    children.push([element, named(below, node, member) as FieldSet]);
  }
  return nodeOf(self, children);
}

/**
 * The set as the type has it now: where a list or a map is owned as a whole that was owned by its items before,
 * whoever owned some of it owns all of it.
 */
export function reconciled(of: Shape, set: FieldSet | undefined): FieldSet | undefined {
  return set === undefined ? undefined : reconcile(of, set, false);
}

function reconcile(of: Shape | undefined, set: FieldSet, self: boolean): FieldSet | undefined {
  if (of === undefined || of.kind === 'deduced') return set;
  if (of.kind === 'leaf') return nodeOf(true, []);
  let changed: Map<string, FieldSet> | undefined;
  for (const element in set) {
    if (element === '.') continue;
    const node = set[element] as FieldSet;
    let below: Shape | undefined;
    if (of.kind === 'items') below = of.of;
    else if (element.startsWith('f:')) below = of.fields.get(element.slice(2))?.shape ?? of.rest;
    let leaf = true;
    for (const _ in node) leaf = false;
    if (leaf) continue;
    const fit = reconcile(below, node, isMember(node));
    if (fit === node || fit === undefined) continue;
    changed ??= new Map();
    changed.set(element, fit);
  }
  if (changed === undefined) return set;
  const now = changed;
  return nodeOf(
    self,
    childrenOf(set).map(([element, node]) => [element, now.get(element) ?? node] as const),
  );
}
