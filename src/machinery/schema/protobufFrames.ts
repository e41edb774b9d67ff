/**
 * What stands around objects in protobuf: the envelope that names the kind, the items of a list, the frames of a watch.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { BYTES } from './protobuf.ts';
import { BackwardWriter } from './protobufWriter.ts';

/** What every object in protobuf begins with: `k8s` and a zero. */
export const PROTOBUF_MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);

/** The encoding and the type of the content are the usual ones, and are written as empty texts. */
export const ENVELOPE_END = Buffer.from([0x1a, 0, 0x22, 0]);

/** What stands before a message of `length` bytes to make it an object of a kind; `ENVELOPE_END` follows it. */
export function envelopeOpening(apiVersion: string, kind: string, length: number): Buffer {
  const writer = new BackwardWriter(apiVersion.length + kind.length + 64);
  writer.varint(length);
  writer.tag(2, BYTES);
  const before = writer.length;
  writer.text(2, kind);
  writer.text(1, apiVersion);
  writer.close(1, before);
  writer.raw(PROTOBUF_MAGIC);
  return writer.bytes();
}

/** Puts the envelope around an object. */
export function sealEnvelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  return Buffer.concat([envelopeOpening(apiVersion, kind, raw.length), raw, ENVELOPE_END]);
}

/** What stands before `length` bytes that are the field `field` of the message around them. */
export function blockOpening(field: number, length: number): Buffer {
  const writer = new BackwardWriter(16);
  writer.varint(length);
  writer.tag(field, BYTES);
  return writer.bytes();
}

/** A watch event behind its length. @param object in its envelope */
export function frameWatchEvent(type: string, object: Buffer): Buffer {
  const writer = new BackwardWriter(object.length + type.length + 64);
  writer.block(1, object);
  writer.close(2, 0);
  writer.text(1, type);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(writer.length);
  writer.raw(length);
  return writer.bytes();
}
