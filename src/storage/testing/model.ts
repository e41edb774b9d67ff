/** Random histories against a model that keeps every state it ever had in full. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StorageUnderTest } from '../contract.ts';
import {
  CompactedError,
  type Compare,
  FutureRevisionError,
  type KeyValue,
  type Operation,
  type Revision,
  type Storage,
} from '../storage.ts';

type State = ReadonlyMap<string, KeyValue>;

/** The simplest thing that could be right: a list of whole states. */
class Model {
  readonly states = new Map<Revision, State>();
  /** of the empty store */
  readonly first: Revision;
  revision: Revision;
  compacted: Revision = 0;

  constructor(revision: Revision) {
    this.first = revision;
    this.revision = revision;
    this.states.set(revision, new Map());
  }

  get now(): State {
    return this.states.get(this.revision) ?? new Map();
  }

  holds({ key, target, equals }: Compare): boolean {
    return (this.now.get(key)?.[target] ?? 0) === equals;
  }

  apply(operations: readonly Operation[]): void {
    const next = new Map(this.now);
    const revision = this.revision + 1;
    let changed = false;
    for (const operation of operations) {
      if (operation.op === 'put') {
        const before = next.get(operation.key);
        next.set(operation.key, {
          key: operation.key,
          value: operation.value,
          createRevision: before?.createRevision ?? revision,
          modRevision: revision,
          version: (before?.version ?? 0) + 1,
          lease: 0,
        });
        changed = true;
      } else if (operation.op === 'delete') {
        for (const key of [...next.keys()]) {
          if (operation.end === undefined ? key !== operation.key : key < operation.key || key >= operation.end)
            continue;
          next.delete(key);
          changed = true;
        }
      }
    }
    if (!changed) return;
    this.revision = revision;
    this.states.set(revision, next);
  }
}

type Step = fc.AsyncCommand<Model, Storage>;

class Write implements Step {
  readonly compare: readonly Compare[];
  readonly operations: readonly Operation[];
  constructor(compare: readonly Compare[], operations: readonly Operation[]) {
    this.compare = compare;
    this.operations = operations;
  }
  check = () => true;
  async run(model: Model, storage: Storage): Promise<void> {
    const succeeded = this.compare.every((c) => model.holds(c));
    const response = await storage.txn({ compare: this.compare, success: this.operations, failure: [] });
    if (succeeded) model.apply(this.operations);
    expect(response.succeeded).toBe(succeeded);
    expect(response.revision).toBe(model.revision);
  }
  toString = () => `write ${JSON.stringify([this.compare, this.operations])}`;
}

class Read implements Step {
  readonly key: string;
  readonly end: string;
  /** how far back */
  readonly ago: number;
  readonly limit: number;
  constructor(key: string, end: string, ago: number, limit: number) {
    this.key = key;
    this.end = end;
    this.ago = ago;
    this.limit = limit;
  }
  /** What was before the first write is nobody's business. */
  check = (model: Readonly<Model>) => model.revision - this.ago >= model.first;
  async run(model: Model, storage: Storage): Promise<void> {
    const revision = model.revision - this.ago;
    const asked = storage.range({ key: this.key, end: this.end, limit: this.limit, revision });
    if (revision > model.revision) await expect(asked).rejects.toThrow(FutureRevisionError);
    else if (revision < model.compacted) await expect(asked).rejects.toThrow(CompactedError);
    else {
      const all = [...(model.states.get(revision)?.values() ?? [])]
        .filter((kv) => kv.key >= this.key && kv.key < this.end)
        .sort((a, b) => (a.key < b.key ? -1 : 1));
      const kvs = all.slice(0, this.limit);
      expect(await asked).toEqual({ revision: model.revision, kvs, count: all.length, more: all.length > kvs.length });
    }
  }
  toString = () => `read ${this.key}..${this.end} ${this.ago} ago`;
}

class Compact implements Step {
  readonly ago: number;
  constructor(ago: number) {
    this.ago = ago;
  }
  check = (model: Readonly<Model>) => model.states.has(model.revision - this.ago);
  async run(model: Model, storage: Storage): Promise<void> {
    const revision = model.revision - this.ago;
    if (revision <= model.compacted) await expect(storage.compact(revision)).rejects.toThrow(CompactedError);
    else {
      await storage.compact(revision);
      model.compacted = revision;
    }
  }
  toString = () => `compact ${this.ago} ago`;
}

const keys = fc.constantFrom('a', 'b', 'b/1', 'b/2', 'c', 'd');
const value = fc.string({ maxLength: 8 }).map((text) => Buffer.from(text));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('put' as const), key: keys, value }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), key: keys }) },
);
const compare: fc.Arbitrary<Compare> = fc.record({
  key: keys,
  target: fc.constantFrom('version' as const, 'createRevision' as const, 'modRevision' as const),
  equals: fc.nat(4),
});
const writes = fc
  .tuple(
    fc.array(compare, { maxLength: 1 }),
    fc.uniqueArray(operation, { minLength: 1, maxLength: 3, selector: (o) => (o.op === 'range' ? '' : o.key) }),
  )
  .map(([compares, operations]) => new Write(compares, operations));
const rangeDeletes = fc.constant(new Write([], [{ op: 'delete', key: 'b', end: 'c' }]));
const reads = fc
  .tuple(keys, fc.constantFrom('b', 'b0', 'z'), fc.integer({ min: -1, max: 8 }), fc.constantFrom(1, 2, 100))
  .map((parts) => new Read(...parts));
const compactions = fc.nat(4).map((ago) => new Compact(ago));

export function modelContract(open: () => Promise<StorageUnderTest>): void {
  it('behaves as the model does', async () => {
    const commands = fc.commands([writes, writes, writes, rangeDeletes, reads, reads, compactions], {
      maxCommands: 60,
    });
    await fc.assert(
      fc.asyncProperty(commands, async (steps) => {
        const { storage, dispose } = await open();
        try {
          const revision = await storage.revision();
          await fc.asyncModelRun(() => ({ model: new Model(revision), real: storage }), steps);
        } finally {
          await dispose();
        }
      }),
      { numRuns: 40 },
    );
  });
}
