/** How one write of a key is laid out in the database. */
import type { Revision } from '../storage.ts';
import type { Write } from './keyIndex.ts';

const KEY_BYTES = 12;
const HEAD_BYTES = 26;

/** Records are ordered by revision, then by place in the transaction. */
export function recordKey(revision: Revision, sub: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeBigUInt64BE(BigInt(revision), 0);
  key.writeUInt32BE(sub, 8);
  return key;
}

/** Head (create revision, version, lease, length of the key), key, value. */
export function encodeRecord(key: string, write: Write, value: Buffer): Buffer {
  const name = Buffer.from(key);
  const record = Buffer.allocUnsafe(HEAD_BYTES + name.length + value.length);
  record.writeBigUInt64BE(BigInt(write.createRevision), 0);
  record.writeUInt32BE(write.version, 8);
  record.writeBigUInt64BE(BigInt(write.lease), 12);
  record.writeUInt32BE(name.length, 20);
  record.writeUInt16BE(0, 24);
  name.copy(record, HEAD_BYTES);
  value.copy(record, HEAD_BYTES + name.length);
  return record;
}

export function decodeRecord(at: Buffer, record: Buffer): { key: string; write: Write } {
  const nameLength = record.readUInt32BE(20);
  return {
    key: record.toString('utf8', HEAD_BYTES, HEAD_BYTES + nameLength),
    write: {
      revision: Number(at.readBigUInt64BE(0)),
      sub: at.readUInt32BE(8),
      createRevision: Number(record.readBigUInt64BE(0)),
      version: record.readUInt32BE(8),
      lease: Number(record.readBigUInt64BE(12)),
    },
  };
}

/** The value of a record; shares the record's memory. */
export function recordValue(record: Buffer): Buffer {
  return record.subarray(HEAD_BYTES + record.readUInt32BE(20));
}
