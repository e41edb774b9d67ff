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

const META = { magic: 24, version: 28, pageSize: 48, freeTree: 48, mainTree: 96, txn: 152, end: 168 };
const TREE = { depth: 6, root: 40, bytes: 48 };
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
  for (const at of [META.freeTree, META.mainTree]) {
    verifyTree(pages, latest.readUInt16LE(at + TREE.depth), latest.readBigUInt64LE(at + TREE.root));
  }
}

function verifyTree(pages: Pages, depth: number, root: bigint): void {
  if (root === NO_PAGE) return;
  if (depth < 1 || depth > DEEPEST) throw pages.corrupt(`a tree of depth ${depth}`);
  verifyPage(pages, Number(root), depth);
}

/** @param depth levels from this page to the leaves, both counted */
function verifyPage(pages: Pages, number: number, depth: number): void {
  const page = pages.read(number);
  const flags = page.readUInt16LE(FLAGS_AT);
  if ((flags & (BRANCH | LEAF | OVERFLOW)) !== (depth > 1 ? BRANCH : LEAF)) {
    throw pages.corrupt(`page ${number} is of the wrong kind`);
  }
  const lower = page.readUInt16LE(LOWER_AT);
  const upper = page.readUInt16LE(UPPER_AT);
  const room = pages.pageSize - PAGE_HEADER_BYTES;
  if (lower > upper || upper > room) throw pages.corrupt(`page ${number} is damaged`);
  const damaged = () => pages.corrupt(`page ${number} is damaged`);
  const children: number[] = [];
  const overflows: { number: number; count: number }[] = [];
  const trees: { depth: number; root: bigint }[] = [];
  for (let i = 0; i < lower >> 1; i++) {
    const offset = page.readUInt16LE(PAGE_HEADER_BYTES + 2 * i);
    if (offset < upper || offset + NODE_HEADER_BYTES > room) throw damaged();
    const node = PAGE_HEADER_BYTES + offset;
    const low = page.readUInt32LE(node);
    const nodeFlags = page.readUInt16LE(node + 4);
    const data = node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6);
    if (data > pages.pageSize) throw damaged();
    if (depth > 1) {
      children.push(low + nodeFlags * 2 ** 32);
    } else if ((nodeFlags & BIG_DATA) !== 0) {
      if (data + 24 > pages.pageSize) throw damaged();
      const count = Number(page.readBigUInt64LE(data + 16));
      if (low > count * pages.pageSize - PAGE_HEADER_BYTES) throw damaged();
      overflows.push({ number: Number(page.readBigUInt64LE(data)), count });
    } else {
      if (data + low > pages.pageSize) throw damaged();
      if ((nodeFlags & SUB_DATABASE) !== 0) {
        if (low !== TREE.bytes) throw damaged();
        trees.push({ depth: page.readUInt16LE(data + TREE.depth), root: page.readBigUInt64LE(data + TREE.root) });
      }
    }
  }
  // `page` may be overwritten from here on.
  for (const overflow of overflows) pages.verifyOverflow(overflow.number, overflow.count);
  for (const child of children) verifyPage(pages, child, depth - 1);
  for (const tree of trees) verifyTree(pages, tree.depth, tree.root);
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
  #read = 0;

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
    // No page has two parents.
    if (++this.#read * this.pageSize > this.#size) throw this.corrupt('its pages form no tree');
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
