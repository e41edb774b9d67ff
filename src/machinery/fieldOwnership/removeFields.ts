/** Taking fields out of an object by their set, and the sets that this needs. */
import { setOwn } from '../setOwn.ts';
import { childrenOf, type FieldSet, isMember, nodeOf } from './fieldSet.ts';
import { elementOf, isRecord, type Shape, type Struct, shapeFor } from './shape.ts';

/** The object without the members of the set; what is left with nothing in it goes, too. The object is not changed. */
export function removeFields(shape: Struct, object: unknown, set: FieldSet | undefined): unknown {
  return set === undefined ? object : (remove(shape, object, set) ?? {});
}

function remove(of: Shape, value: unknown, set: FieldSet): unknown {
  const shape = shapeFor(of, value);
  if (shape.kind === 'struct' && isRecord(value)) {
    const out: Record<string, unknown> = {};
    let left = 0;
    for (const name of Object.keys(value)) {
      const below = shape.fields.get(name)?.shape ?? shape.rest;
      const item = keep(below, value[name], set[`f:${name}`]);
      if (item === undefined) continue;
      setOwn(out, name, item);
      left++;
    }
    return left === 0 ? undefined : out;
  }
  if (shape.kind === 'items' && Array.isArray(value)) {
    const out: unknown[] = [];
    for (const item of value) {
      const kept = keep(shape.of, item, set[elementOf(shape, item)]);
      if (kept !== undefined) out.push(kept);
    }
    return out.length === 0 ? undefined : out;
  }
  return value;
}

function keep(shape: Shape | undefined, value: unknown, node: FieldSet | undefined): unknown {
  if (node === undefined || shape === undefined) return value;
  return isMember(node) ? undefined : remove(shape, value, node);
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
    const now = reconcile(below, node, isMember(node));
    if (now === node || now === undefined) continue;
    changed ??= new Map();
    changed.set(element, now);
  }
  if (changed === undefined) return set;
  const of2 = changed;
  return nodeOf(
    self,
    childrenOf(set).map(([element, node]) => [element, of2.get(element) ?? node] as const),
  );
}
