/** How one write of a key is laid out in the database. */
import { crc32 } from 'node:zlib';
import type { Revision } from '../storage.ts';
import type { Write } from './keyIndex.ts';

const KEY_BYTES = 12;
const HEAD_BYTES = 24;
/** 0 checksum of all that follows and of the record's own key, then these, then the key and the value */
const AT = { createRevision: 4, version: 10, lease: 14, keyLength: 20 };
/** Revisions and leases are written as 48-bit numbers. */
const NUMBER_BYTES = 6;

/** Records are ordered by revision, then by place in the transaction. */
export function recordKey(revision: Revision, sub: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt16BE(0, 0);
  key.writeUIntBE(revision, 2, NUMBER_BYTES);
  key.writeUInt32BE(sub, 8);
  return key;
}

export function encodeRecord(key: string, write: Write, value: Buffer): Buffer {
  const keyLength = Buffer.byteLength(key);
  const record = Buffer.allocUnsafe(HEAD_BYTES + keyLength + value.length);
  record.writeUIntBE(write.createRevision, AT.createRevision, NUMBER_BYTES);
  record.writeUInt32BE(write.version, AT.version);
  record.writeUIntBE(write.lease, AT.lease, NUMBER_BYTES);
  record.writeUInt32BE(keyLength, AT.keyLength);
  record.write(key, HEAD_BYTES);
  value.copy(record, HEAD_BYTES + keyLength);
  record.writeUInt32BE(checksum(recordKey(write.revision, write.sub), record), 0);
  return record;
}

/** Undefined where the record is not as it was written. */
export function decodeRecord(at: Buffer, record: Buffer): { key: string; write: Write } | undefined {
  if (at.length !== KEY_BYTES || record.length < HEAD_BYTES) return undefined;
  if (record.readUInt32BE(0) !== checksum(at, record)) return undefined;
  const keyLength = record.readUInt32BE(AT.keyLength);
  return {
    key: record.toString('utf8', HEAD_BYTES, HEAD_BYTES + keyLength),
    write: {
      revision: at.readUIntBE(2, NUMBER_BYTES),
      sub: at.readUInt32BE(8),
      createRevision: record.readUIntBE(AT.createRevision, NUMBER_BYTES),
      version: record.readUInt32BE(AT.version),
      lease: record.readUIntBE(AT.lease, NUMBER_BYTES),
    },
  };
}

/** The value of a record; shares the record's memory. */
export function recordValue(record: Buffer): Buffer {
  return record.subarray(HEAD_BYTES + record.readUInt32BE(AT.keyLength));
}

function checksum(at: Buffer, record: Buffer): number {
  return crc32(record.subarray(4), crc32(at));
}
