import { describe, expect, it } from 'vitest';
import { decodeProtobuf, encodeProtobuf, ProtobufError, Reader, VARINT, Writer } from './protobuf.ts';
import { int64, list, object, opt, str } from './types.ts';

const Status = object('Status', () => ({
  id: opt(1, str),
  createdAt: opt(2, int64),
  groups: opt(3, list(int64)),
}));

/** The field 2 as a varint of any size. */
function withNumber(digits: bigint): Buffer {
  const bytes = [(2 << 3) | VARINT];
  let rest = BigInt.asUintN(64, digits);
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

describe('whole numbers', () => {
  it.each([1, 127, 128, 2 ** 28, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 53 - 1)])('%d comes back', (number) => {
    const value = { id: 'a', createdAt: number, groups: [number, 1] };
    expect(decodeProtobuf(Status, encodeProtobuf(Status, value))).toEqual(value);
  });

  it('beyond 2^53 are the nearest: times in nanoseconds', () => {
    expect(decodeProtobuf(Status, withNumber(1_795_249_320_140_646_712n))).toEqual({
      createdAt: 1_795_249_320_140_646_700,
    });
  });

  it('beyond 2^53 are refused where they must be exact', () => {
    const writer = new Writer();
    writer.varint(2 ** 60);
    expect(() => new Reader(writer.bytes()).exactVarint()).toThrow(ProtobufError);
  });
});

it('a message that is cut short is refused wherever it is cut', () => {
  const bytes = encodeProtobuf(Status, { id: 'abc', createdAt: 300, groups: [1, 2] });
  for (let end = 1; end < bytes.length; end++) {
    try {
      decodeProtobuf(Status, bytes.subarray(0, end));
    } catch (error) {
      expect(error).toBeInstanceOf(ProtobufError);
    }
  }
});
