/**
 * Applying: what a client wants is laid over what is there, item by item. Nothing is taken away here.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
import { cloneJson } from '../clone.ts';
import { setOwn } from '../setOwn.ts';
import { showElement } from './pathElement.ts';
import { elementOf, type Items, isRecord, type Shape, type Struct, shapeFor } from './shape.ts';

/** What is wrong with an object that is to be applied, with its path. */
export class ApplyError extends Error {}

/** @throws ApplyError where two items of one list cannot be told apart */
export function assertApplicable(shape: Struct, config: unknown): void {
  check(shape, config, '');
}

function check(of: Shape, value: unknown, path: string): void {
  const shape = shapeFor(of, value);
  if (shape.kind === 'leaf' || typeof value !== 'object' || value === null) return;
  if (shape.kind === 'struct') {
    if (!isRecord(value)) return;
    for (const name of Object.keys(value)) {
      const below = shape.fields.get(name)?.shape ?? shape.rest;
      if (below !== undefined) check(below, value[name], `${path}.${name}`);
    }
    return;
  }
  if (!Array.isArray(value)) return;
  const seen = new Set<string>();
  for (const [i, item] of value.entries()) {
    const element = elementOf(shape, item);
    if (element === 'k:{}') {
      const keys = (shape.keys ?? []).map((k) => k.name).join(', ');
      throw new ApplyError(
        `${path}: element ${i}: associative list with keys has an element that omits all key fields [${keys}]`,
      );
    }
    if (seen.has(element)) throw new ApplyError(`${path}: duplicate entries for key ${showElement(element)}`);
    seen.add(element);
    check(shape.of, item, `${path}${showElement(element)}`);
  }
}

/** `live` with `config` over it. Neither is changed; parts of `live` are shared. */
export function mergeApplied(shape: Struct, live: unknown, config: unknown): unknown {
  return merge(shape, live, config);
}

function merge(of: Shape, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === null) return cloneJson(config);
  const shape = shapeFor(of, config);
  // A null has nothing in it that could change anything.
  if (config === null && Object.keys(live).length > 0) {
    if (shape.kind === 'struct' && isRecord(live)) return live;
    if (shape.kind === 'items' && Array.isArray(live)) return live;
  }
  if (shape.kind === 'struct' && isRecord(live) && isRecord(config)) {
    const out: Record<string, unknown> = { ...live };
    for (const name of Object.keys(config)) {
      const below = shape.fields.get(name)?.shape ?? shape.rest;
      const was = Object.hasOwn(live, name) ? live[name] : undefined;
      setOwn(out, name, below === undefined ? cloneJson(config[name]) : merge(below, was, config[name]));
    }
    return out;
  }
  if (shape.kind === 'items' && Array.isArray(live) && Array.isArray(config)) return mergeItems(shape, live, config);
  return cloneJson(config);
}

/**
 * Items that are applied stand in the order in which they are applied; others stay behind the one that they
 * stood behind.
 */
function mergeItems(shape: Items, live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const ours = live.map((item) => elementOf(shape, item));
  const theirs = config.map((item) => elementOf(shape, item));
  const liveItems = new Map<string, unknown>();
  // What stands there twice has no one value to merge with: the applied one replaces both.
  for (const [i, element] of ours.entries()) liveItems.set(element, liveItems.has(element) ? undefined : live[i]);
  const applied = new Map(theirs.map((element, i) => [element, config[i]] as const));
  const shared = theirs.filter((element) => liveItems.has(element));
  const out: unknown[] = [];
  const done = new Set<string>();
  const take = (element: string) => {
    out.push(merge(shape.of, liveItems.get(element), applied.get(element)));
    done.add(element);
  };
  let l = 0;
  let c = 0;
  let s = 0;
  while (l < ours.length || c < theirs.length) {
    const mine = ours[l];
    const other = theirs[c];
    if (mine !== undefined && mine === other) {
      take(mine);
      l++;
      c++;
      s++;
      continue;
    }
    // An item that is applied, but later: it will stand there.
    if (
      mine !== undefined &&
      other !== undefined &&
      applied.has(mine) &&
      shared[s] !== undefined &&
      shared[s] !== mine
    ) {
      l++;
      continue;
    }
    if (mine !== undefined && !applied.has(mine)) {
      out.push(live[l]);
      l++;
      continue;
    }
    if (mine !== undefined && done.has(mine)) l++;
    if (other !== undefined) {
      take(other);
      c++;
      if (shared[s] === other) s++;
    }
  }
  return out;
}
