/**
 * Looks at a database file before LMDB maps it. LMDB trusts its file: a page number that points
 * past the end, or a page that is not what its parent says, kills the process. So every page that
 * can be reached is checked here first; what the records hold is checked by their own checksums.
 *
 * Source: the structures MDB_meta, MDB_db, MDB_page and MDB_node in LMDB's mdb.c, data format 2
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { StorageUnavailableError } from '../storage.ts';

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

const PAGE_HEADER_BYTES = 24;
const FLAGS_AT = 18;
const LOWER_AT = 20;
const UPPER_AT = 22;
const OVERFLOW_PAGES_AT = 20;
const NODE_HEADER_BYTES = 8;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const BIG_DATA = 0x01;
const SUB_DATABASE = 0x02;

const META = { magic: 24, version: 28, pageSize: 48, freeTree: 48, mainTree: 96, lastPage: 144, txn: 152, end: 168 };
const TREE = { depth: 6, root: 40, bytes: 48 };
/** page number, transaction, number of pages */
const OVERFLOW_REFERENCE_BYTES = 24;
/** LMDB's own limit on a tree's depth. */
const DEEPEST = 32;

/** @throws StorageUnavailableError where the file is not a whole LMDB database */
export function verifyDatabaseFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    verify(new Pages(path, file, size));
  } finally {
    closeSync(file);
  }
}

function verify(pages: Pages): void {
  const first = pages.readMeta(0);
  const pageSize = first.readUInt32LE(META.pageSize);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
    throw pages.corrupt(`a page size of ${pageSize}`);
  }
  pages.pageSize = pageSize;
  const second = pages.readMeta(pageSize);
  const latest = second.readBigUInt64LE(META.txn) > first.readBigUInt64LE(META.txn) ? second : first;
  const lastPage = Number(latest.readBigUInt64LE(META.lastPage));
  const free: Free[] = [];
  const treeAt = (at: number) => ({
    depth: latest.readUInt16LE(at + TREE.depth),
    root: latest.readBigUInt64LE(at + TREE.root),
  });
  new TreeWalk(pages, compareIntegers, (value) => free.push(...freePages(pages, value, lastPage))).tree(
    treeAt(META.freeTree),
  );
  new TreeWalk(pages, Buffer.compare, undefined).tree(treeAt(META.mainTree));
  // A page that is in use and free at once would be overwritten.
  for (const { start, count } of free) {
    for (let page = start; page < start + count; page++) {
      if (pages.isInUse(page)) throw pages.corrupt(`page ${page} is both in use and free`);
    }
  }
}

interface Tree {
  readonly depth: number;
  readonly root: bigint;
}

/** Pages that may be written over. */
interface Free {
  readonly start: number;
  readonly count: number;
}

/** A record of the tree of free pages: its length, then page numbers, each perhaps behind the negative length of its run. */
function freePages(pages: Pages, value: Buffer, lastPage: number): Free[] {
  const length = value.length < 8 ? 0 : Number(value.readBigUInt64LE(0));
  if (length * 8 + 8 > value.length) throw pages.corrupt('its list of free pages is damaged');
  const free: Free[] = [];
  let count = 1;
  for (let i = 1; i <= length; i++) {
    const entry = Number(value.readBigInt64LE(8 * i));
    if (entry < 0) count = -entry;
    else if (entry > 0) {
      if (entry < 2 || entry + count > lastPage + 1) throw pages.corrupt('its list of free pages is damaged');
      free.push({ start: entry, count });
      count = 1;
    }
  }
  return free;
}

type KeyOrder = (a: Buffer, b: Buffer) => number;

function compareIntegers(a: Buffer, b: Buffer): number {
  if (a.length !== 8 || b.length !== 8) return a.length - b.length;
  return Buffer.compare(Buffer.from(a).reverse(), Buffer.from(b).reverse());
}

/** Walks a tree from its root; whatever a search would rely on is checked. */
class TreeWalk {
  readonly #pages: Pages;
  readonly #order: KeyOrder;
  readonly #onValue: ((value: Buffer) => void) | undefined;
  /** the last key that was met, on whatever page */
  #before: Buffer | undefined;

  constructor(pages: Pages, order: KeyOrder, onValue: ((value: Buffer) => void) | undefined) {
    this.#pages = pages;
    this.#order = order;
    this.#onValue = onValue;
  }

  tree({ depth, root }: Tree): void {
    if (root === NO_PAGE) return;
    if (depth < 1 || depth > DEEPEST) throw this.#pages.corrupt(`a tree of depth ${depth}`);
    this.#page(Number(root), depth, undefined);
  }

  /**
   * @param depth levels from this page to the leaves, both counted
   * @param least what the page above says that all keys here are no less than
   */
  #page(number: number, depth: number, least: Buffer | undefined): void {
    // Reading on overwrites what was read before.
    const page = Buffer.from(this.#pages.read(number));
    const corrupt = (why: string) => this.#pages.corrupt(`page ${number} ${why}`);
    const flags = page.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF | OVERFLOW);
    if (flags !== (depth > 1 ? BRANCH : LEAF)) throw corrupt('is of the wrong kind');
    const lower = page.readUInt16LE(LOWER_AT);
    const upper = page.readUInt16LE(UPPER_AT);
    const room = this.#pages.pageSize - PAGE_HEADER_BYTES;
    if (lower > upper || upper > room) throw corrupt('is damaged');
    for (let i = 0; i < lower >> 1; i++) {
      const offset = page.readUInt16LE(PAGE_HEADER_BYTES + 2 * i);
      if (offset < upper || offset + NODE_HEADER_BYTES > room) throw corrupt('is damaged');
      const node = PAGE_HEADER_BYTES + offset;
      const low = page.readUInt32LE(node);
      const nodeFlags = page.readUInt16LE(node + 4);
      const data = node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6);
      if (data > page.length) throw corrupt('is damaged');
      const key = page.subarray(node + NODE_HEADER_BYTES, data);
      if (depth > 1) {
        // The key of a branch's first entry means nothing: all that is less goes there.
        const bound = i === 0 ? least : key;
        if (i > 0 && !this.#isBehind(key)) throw corrupt('is out of order');
        this.#page(low + nodeFlags * 2 ** 32, depth - 1, bound);
        continue;
      }
      if (!this.#isBehind(key) || (least !== undefined && this.#order(least, key) > 0))
        throw corrupt('is out of order');
      this.#before = key;
      if ((nodeFlags & BIG_DATA) !== 0) {
        if (data + OVERFLOW_REFERENCE_BYTES > page.length) throw corrupt('is damaged');
        const first = Number(page.readBigUInt64LE(data));
        const count = Number(page.readBigUInt64LE(data + 16));
        if (low > count * page.length - PAGE_HEADER_BYTES) throw corrupt('is damaged');
        this.#pages.verifyOverflow(first, count);
        this.#onValue?.(this.#pages.readOverflow(first, low));
      } else {
        if (data + low > page.length) throw corrupt('is damaged');
        const value = page.subarray(data, data + low);
        this.#onValue?.(value);
        if ((nodeFlags & SUB_DATABASE) !== 0) {
          if (low !== TREE.bytes) throw corrupt('is damaged');
          const tree = { depth: value.readUInt16LE(TREE.depth), root: value.readBigUInt64LE(TREE.root) };
          new TreeWalk(this.#pages, Buffer.compare, undefined).tree(tree);
        }
      }
    }
  }

  #isBehind(key: Buffer): boolean {
    return this.#before === undefined || this.#order(this.#before, key) < 0;
  }
}

const CHUNK_BYTES = 256 * 1024;
const CHUNKS = 16;

/** Reads pages in larger pieces, a few of which are kept: neighbours in a tree are mostly neighbours in the file. */
class Pages {
  pageSize = 4096;
  readonly #path: string;
  readonly #file: number;
  readonly #size: number;
  readonly #chunks = new Map<number, Buffer>();
  readonly #inUse = new Set<number>();

  constructor(path: string, file: number, size: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  corrupt(why: string): StorageUnavailableError {
    return new StorageUnavailableError(
      'corrupt',
      `${this.#path} is corrupt: ${why}; restore it from a backup, or delete the data directory to start anew`,
    );
  }

  readMeta(at: number): Buffer {
    if (at + META.end > this.#size) throw this.corrupt(`it has only ${this.#size} bytes`);
    const meta = Buffer.alloc(META.end);
    readSync(this.#file, meta, 0, meta.length, at);
    if (meta.readUInt32LE(META.magic) !== MAGIC || (meta.readUInt32LE(META.version) & 0xffff) !== DATA_VERSION) {
      throw this.corrupt('its header is not that of a database');
    }
    return meta;
  }

  /** The page, which must carry its own number. It is good until the next read. */
  read(number: number): Buffer {
    const start = number * this.pageSize;
    if (!(start + this.pageSize <= this.#size)) {
      throw this.corrupt(`it was cut off: page ${number} lies behind its ${this.#size} bytes`);
    }
    if (this.#inUse.has(number)) throw this.corrupt(`page ${number} is in use twice`);
    this.#inUse.add(number);
    const at = start % CHUNK_BYTES;
    const page = this.#chunk((start - at) / CHUNK_BYTES).subarray(at, at + this.pageSize);
    if (page.readBigUInt64LE(0) !== BigInt(number)) throw this.corrupt(`page ${number} is damaged`);
    return page;
  }

  verifyOverflow(number: number, count: number): void {
    const page = this.read(number);
    const whole =
      (page.readUInt16LE(FLAGS_AT) & OVERFLOW) !== 0 &&
      page.readUInt32LE(OVERFLOW_PAGES_AT) === count &&
      (number + count) * this.pageSize <= this.#size;
    if (!whole) throw this.corrupt(`page ${number} is damaged`);
    for (let page = number + 1; page < number + count; page++) {
      if (this.#inUse.has(page)) throw this.corrupt(`page ${page} is in use twice`);
      this.#inUse.add(page);
    }
  }

  /** What an overflow page, which was verified, holds. */
  readOverflow(number: number, length: number): Buffer {
    const value = Buffer.alloc(length);
    readSync(this.#file, value, 0, length, number * this.pageSize + PAGE_HEADER_BYTES);
    return value;
  }

  isInUse(number: number): boolean {
    return this.#inUse.has(number);
  }

  #chunk(index: number): Buffer {
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      const oldest = this.#chunks.size < CHUNKS ? undefined : this.#chunks.entries().next().value;
      if (oldest !== undefined) this.#chunks.delete(oldest[0]);
      chunk = oldest?.[1] ?? Buffer.alloc(CHUNK_BYTES);
      readSync(this.#file, chunk, 0, CHUNK_BYTES, index * CHUNK_BYTES);
      this.#chunks.set(index, chunk);
    }
    return chunk;
  }
}
