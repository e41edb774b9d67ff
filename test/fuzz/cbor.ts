/** JSON values as CBOR with the tag that says so. Source: RFC 8949 */

const SELF_DESCRIBED = Buffer.from([0xd9, 0xd9, 0xf7]);

export function encodeCbor(value: unknown): Buffer {
  const out: Buffer[] = [SELF_DESCRIBED];
  write(value, out);
  return Buffer.concat(out);
}

function write(value: unknown, out: Buffer[]): void {
  if (value === null || value === undefined) out.push(Buffer.from([0xf6]));
  else if (typeof value === 'boolean') out.push(Buffer.from([value ? 0xf5 : 0xf4]));
  else if (typeof value === 'number') writeNumber(value, out);
  else if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    // Kubernetes writes text as byte strings.
    head(2, bytes.length, out);
    out.push(bytes);
  } else if (Array.isArray(value)) {
    head(4, value.length, out);
    for (const item of value) write(item, out);
  } else {
    const entries = Object.entries(value as object);
    head(5, entries.length, out);
    for (const [name, item] of entries) {
      write(name, out);
      write(item, out);
    }
  }
}

function writeNumber(value: number, out: Buffer[]): void {
  if (Number.isSafeInteger(value)) {
    if (value >= 0) head(0, value, out);
    else head(1, -1 - value, out);
    return;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xfb;
  bytes.writeDoubleBE(value, 1);
  out.push(bytes);
}

function head(major: number, argument: number, out: Buffer[]): void {
  const type = major << 5;
  if (argument < 24) out.push(Buffer.from([type | argument]));
  else if (argument < 2 ** 32) {
    const bytes = Buffer.alloc(5);
    bytes[0] = type | 26;
    bytes.writeUInt32BE(argument, 1);
    out.push(bytes);
  } else {
    const bytes = Buffer.alloc(9);
    bytes[0] = type | 27;
    bytes.writeBigUInt64BE(BigInt(argument), 1);
    out.push(bytes);
  }
}
