/**
 * Sets of fields in the form in which FieldsV1 carries them: a tree of path elements. A node without
 * children is a member; one with children is a member where it has the child `.`.
 *
 * Sets are never changed: what an operation leaves as it was is shared by its result, and where it changes
 * nothing at all the result is the set itself. So an update that takes no field from anybody costs no copies.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
import { interned, textOf } from './interned.ts';
import { compareElements, parseElement, showElement } from './pathElement.ts';

/** A set, or a part of one. `undefined` is the empty set. */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A node without children. */
export const MEMBER: FieldSet = Object.freeze({});

const SELF = '.';

/** No set of a real object is as deep; deeper ones of clients are refused. */
const MAX_DEPTH = 300;

/** What frozen values were read as, so that nothing is read twice. Weakly held. */
const known = new WeakMap<object, FieldSet | { readonly empty: true }>();

/**
 * Reads what a client or the store has as FieldsV1. Elements of an unknown sort are left out.
 * @throws Error for what is no set
 */
export function parseFieldSet(value: unknown): FieldSet | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('an object is expected');
  if (textOf(value) !== undefined) return value as FieldSet;
  const before = known.get(value);
  if (before !== undefined) return before === EMPTY ? undefined : (before as FieldSet);
  const node = parseNode(value as Record<string, unknown>, 0);
  // The whole is no field of itself.
  const set = node === undefined ? undefined : interned(withoutSelf(node));
  if (Object.isFrozen(value)) known.set(value, set ?? EMPTY);
  return set;
}

const EMPTY: { readonly empty: true } = Object.freeze({ empty: true });

function parseNode(value: Record<string, unknown>, depth: number): FieldSet | undefined {
  if (depth > MAX_DEPTH) throw new Error(`nested deeper than ${MAX_DEPTH} levels`);
  const children: [string, FieldSet][] = [];
  let self = false;
  let sorted = true;
  for (const key of Object.keys(value)) {
    if (key === SELF) {
      self = true;
      continue;
    }
    const element = parseElement(key);
    const below = value[key];
    if (element === undefined) continue;
    if (below !== null && (typeof below !== 'object' || Array.isArray(below))) throw new Error('an object is expected');
    const node = parseNode((below ?? {}) as Record<string, unknown>, depth + 1);
    if (node === undefined) continue;
    const last = children.at(-1);
    if (last !== undefined && compareElements(last[0], element) >= 0) sorted = false;
    children.push([element, node]);
  }
  if (children.length === 0) return MEMBER;
  return nodeOf(self, sorted ? children : ordered(children));
}

/** In order, and each element once: one may be written in several ways. */
function ordered(children: readonly (readonly [string, FieldSet])[]): [string, FieldSet][] {
  const alike = new Map<string, FieldSet[]>();
  for (const [element, node] of children) {
    const nodes = alike.get(element);
    if (nodes === undefined) alike.set(element, [node]);
    else nodes.push(node);
  }
  return [...alike]
    .map(([element, nodes]): [string, FieldSet] => [element, uniteAll(nodes)])
    .sort(([a], [b]) => compareElements(a, b));
}

/** Of at least one node. In pairs: a large one is not copied for each small one. */
function uniteAll(nodes: readonly FieldSet[]): FieldSet {
  const [first, second] = nodes as [FieldSet, FieldSet | undefined];
  if (second === undefined) return first;
  const half = nodes.length >> 1;
  return uniteNodes(uniteAll(nodes.slice(0, half)), uniteAll(nodes.slice(half)));
}

/** A node of children in order; undefined where it has none and is no member either. */
export function nodeOf(self: boolean, children: readonly (readonly [string, FieldSet])[]): FieldSet | undefined {
  if (children.length === 0) return self ? MEMBER : undefined;
  const node: Record<string, FieldSet> = {};
  if (self) node[SELF] = MEMBER;
  for (const [element, child] of children) node[element] = child;
  return Object.freeze(node);
}

/** The members below the node, without the node itself. */
export function withoutSelf(node: FieldSet): FieldSet | undefined {
  if (!(SELF in node)) return isLeaf(node) ? undefined : node;
  return nodeOf(false, childrenOf(node));
}

function isLeaf(node: FieldSet): boolean {
  for (const _ in node) return false;
  return true;
}

export function isMember(node: FieldSet): boolean {
  return SELF in node || isLeaf(node);
}

/** The node's children with their elements, in order. */
export function childrenOf(node: FieldSet): [string, FieldSet][] {
  const children: [string, FieldSet][] = [];
  for (const element in node) if (element !== SELF) children.push([element, node[element] as FieldSet]);
  return children;
}

/** What is in either. */
export function union(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  return a === undefined ? b : unite(a, b, false);
}

function unite(a: FieldSet | undefined, b: FieldSet | undefined, self: boolean): FieldSet | undefined {
  if (b === undefined && !self) return a;
  if (a === b && !self) return a;
  const memberOfA = a !== undefined && SELF in a;
  const member = memberOfA || self || (b !== undefined && SELF in b);
  if (a === undefined) return nodeOf(member, b === undefined ? [] : childrenOf(b));
  let changed = member !== memberOfA;
  const added: [string, FieldSet][] = [];
  let merged: Map<string, FieldSet> | undefined;
  if (b !== undefined) {
    for (const element in b) {
      if (element === SELF) continue;
      const theirs = b[element] as FieldSet;
      const ours = a[element];
      if (ours === undefined) {
        added.push([element, theirs]);
        changed = true;
        continue;
      }
      const both = uniteNodes(ours, theirs);
      if (both === ours) continue;
      changed = true;
      merged ??= new Map();
      merged.set(element, both);
    }
  }
  if (!changed) return a;
  const children = childrenOf(a);
  if (merged !== undefined) for (const child of children) child[1] = merged.get(child[0]) ?? child[1];
  return nodeOf(member, added.length === 0 ? children : inOrder(children, added));
}

/** Two nodes of one element: a leaf is a member. */
function uniteNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const leafA = isLeaf(a);
  const leafB = isLeaf(b);
  if (leafA && leafB) return a;
  if (leafA) return SELF in b ? b : (nodeOf(true, childrenOf(b)) as FieldSet);
  if (leafB) return SELF in a ? a : (nodeOf(true, childrenOf(a)) as FieldSet);
  // Neither is empty, so neither is the union.
  return unite(a, b, false) as FieldSet;
}

function inOrder(a: readonly [string, FieldSet][], b: readonly [string, FieldSet][]): [string, FieldSet][] {
  const out: [string, FieldSet][] = [];
  let i = 0;
  for (const child of b) {
    while (i < a.length && compareElements((a[i] as [string, FieldSet])[0], child[0]) < 0) {
      out.push(a[i] as [string, FieldSet]);
      i++;
    }
    out.push(child);
  }
  for (; i < a.length; i++) out.push(a[i] as [string, FieldSet]);
  return out;
}

/** What is in `a` and not in `b`. A field stays when only what is below it goes, and the other way round. */
export function difference(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a;
  return subtract(a, b, false, false);
}

function subtract(a: FieldSet, b: FieldSet, memberA: boolean, memberB: boolean): FieldSet | undefined {
  const member = memberA && !memberB;
  let changed = member !== memberA;
  let left: Map<string, FieldSet | undefined> | undefined;
  for (const element in b) {
    if (element === SELF) continue;
    const ours = a[element];
    if (ours === undefined) continue;
    const theirs = b[element] as FieldSet;
    const rest = subtract(ours, theirs, isMember(ours), isMember(theirs));
    if (rest === ours) continue;
    changed = true;
    left ??= new Map();
    left.set(element, rest);
  }
  if (!changed) return a;
  const children: [string, FieldSet][] = [];
  for (const child of childrenOf(a)) {
    if (left?.has(child[0]) !== true) {
      children.push(child);
      continue;
    }
    const rest = left.get(child[0]);
    if (rest !== undefined) children.push([child[0], rest]);
  }
  return nodeOf(member, children);
}

/** What is in both. */
export function intersection(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return undefined;
  return intersect(a, b, false);
}

function intersect(a: FieldSet, b: FieldSet, member: boolean): FieldSet | undefined {
  let children: [string, FieldSet][] | undefined;
  for (const element in a) {
    if (element === SELF) continue;
    const theirs = b[element];
    if (theirs === undefined) continue;
    const ours = a[element] as FieldSet;
    const both = intersect(ours, theirs, isMember(ours) && isMember(theirs));
    if (both === undefined) continue;
    children ??= [];
    children.push([element, both]);
  }
  if (children === undefined) return member ? MEMBER : undefined;
  return nodeOf(member, children);
}

/** What is in `a`, but not in `b` nor below anything that is. */
export function recursiveDifference(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a;
  const children: [string, FieldSet][] = [];
  for (const [element, node] of childrenOf(a)) {
    const theirs = b[element];
    if (theirs === undefined) {
      children.push([element, node]);
      continue;
    }
    if (isMember(theirs)) continue;
    const rest = isLeaf(node) ? node : recursiveDifference(node, theirs);
    if (rest !== undefined) children.push([element, rest]);
  }
  return nodeOf(SELF in a, children);
}

/** Whether the path, of elements, is in the set. */
export function has(set: FieldSet | undefined, path: readonly string[]): boolean {
  let node = set;
  for (const element of path) {
    node = node?.[element];
    if (node === undefined) return false;
  }
  return path.length > 0 && node !== undefined && isMember(node);
}

/** Every member by its path; first a node's members, then what is below. */
export function paths(set: FieldSet | undefined): string[][] {
  const out: string[][] = [];
  const walk = (node: FieldSet, prefix: readonly string[]) => {
    const children = childrenOf(node);
    for (const [element, child] of children) if (isMember(child)) out.push([...prefix, element]);
    for (const [element, child] of children) walk(child, [...prefix, element]);
  };
  if (set !== undefined) walk(set, []);
  return out;
}

/** The members that have no members below them. */
export function leaves(set: FieldSet | undefined): FieldSet | undefined {
  if (set === undefined) return undefined;
  return nodeOf(
    false,
    childrenOf(set).map(([element, node]) => [element, isLeaf(node) ? node : (leaves(node) as FieldSet)] as const),
  );
}

/** As a message shows it: `.spec.containers[name="x"].image`. */
export function showPath(path: readonly string[]): string {
  return path.map(showElement).join('');
}
