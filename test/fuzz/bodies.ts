/** What requests carry, as text or bytes, in every encoding. */
import fc from 'fast-check';
import { arbitraryOf } from '../../src/apis/testing/arbitrary.ts';
import type { Kind } from '../../src/machinery/kind.ts';
import { apiVersionOf } from '../../src/machinery/kind.ts';
import { BYTES, encodeProtobuf, Writer } from '../../src/machinery/schema/protobuf.ts';
import { exampleOf } from '../support/examples.ts';
import { encodeCbor } from './cbor.ts';
import { gadgetExample, gadgets } from './customKind.ts';
import { type Change, changed, type FieldPath, oddValue, pathsOf, valueFor } from './fields.ts';

export type Encoding = 'json' | 'yaml' | 'protobuf' | 'cbor';

/** Kept as it was made, so that a failing request can be printed and read. */
export type Body =
  | { readonly encoding: Encoding; readonly value: unknown; readonly kind?: Kind }
  | { readonly encoding: 'text'; readonly text: string };

const paths = new Map<Kind, FieldPath[]>();

/** The paths of a kind, those of its metadata among them. */
function pathsOfKind(kind: Kind): FieldPath[] {
  let found = paths.get(kind);
  if (found === undefined) {
    found = pathsOf(kind.schema);
    paths.set(kind, found);
  }
  return found;
}

export function changeOf(kind: Kind): fc.Arbitrary<Change> {
  const found = pathsOfKind(kind);
  if (found.length === 0) return fc.constant({ path: ['x'], value: 1 });
  return fc.nat(found.length - 1).chain((at) => {
    const { path, type } = found[at] as FieldPath;
    return fc.oneof(
      { weight: 6, arbitrary: valueFor(type).map((value) => ({ path, value })) },
      { weight: 1, arbitrary: fc.constant({ path, value: undefined }) },
    );
  });
}

/** An object that is valid as it stands, as far as the kind has an example. */
export function baseOf(kind: Kind): object {
  const apiVersion = apiVersionOf(kind);
  if (kind === gadgets) return gadgetExample;
  return exampleOf(apiVersion, kind.kind) ?? { apiVersion, kind: kind.kind, metadata: { name: 'x' } };
}

/** Objects of a kind, from valid to nonsense. */
export function objectOf(kind: Kind): fc.Arbitrary<unknown> {
  const base = baseOf(kind);
  const nonsense = arbitraryOf(kind.schema).map((value) => ({
    ...base,
    ...(value as object),
    metadata: { name: 'x' },
  }));
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(base) },
    { weight: 6, arbitrary: fc.array(changeOf(kind), { minLength: 1, maxLength: 3 }).map((c) => changed(base, c)) },
    { weight: 1, arbitrary: nonsense },
  );
}

const oddText = fc.constantFrom(
  ...['', '{', 'null', '[]', '"x"', '0', '{}', '{"a":1}x', '\u0000', '﻿{}', '{"metadata":null}', '{"metadata":[]}'],
  ...['[{"op":"remove","path":"/metadata"}]', '[{"op":"replace","path":"","value":1}]', '{"a":'.repeat(3_000)],
  ...[
    '['.repeat(100_000),
    '&a [*a]',
    'a: &a [b]\nc: [*a,*a]',
    '!!js/function "x"',
    '? a\n: b',
    '---\na: 1\n---\nb: 2',
    '\t',
  ],
);

/** Text that says a field twice, which an object cannot. */
const withDuplicates = (value: unknown): string =>
  JSON.stringify(value).replace('{', '{"metadata":{"name":"z","name":"x"},"__proto__":{"x":1},"kind":"Pod",');

const encoding = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Encoding>('json') },
  { weight: 1, arbitrary: fc.constant<Encoding>('yaml') },
  { weight: 2, arbitrary: fc.constant<Encoding>('protobuf') },
  { weight: 1, arbitrary: fc.constant<Encoding>('cbor') },
);

export function bodyOf(kind: Kind): fc.Arbitrary<Body> {
  const value = objectOf(kind);
  return fc.oneof(
    { weight: 20, arbitrary: fc.tuple(encoding, value).map(([e, v]) => ({ encoding: e, value: v, kind })) },
    { weight: 1, arbitrary: value.map((v) => ({ encoding: 'text' as const, text: withDuplicates(v) })) },
    { weight: 1, arbitrary: oddText.map((text) => ({ encoding: 'text' as const, text })) },
    { weight: 1, arbitrary: fc.tuple(encoding, oddValue).map(([e, v]) => ({ encoding: e, value: v, kind })) },
  );
}

const MAGIC = Buffer.from('k8s\0');

/** The bytes of a body; what an encoding cannot say is sent as JSON under its name. */
export function bytesOf(body: Body): Buffer {
  if (body.encoding === 'text') return Buffer.from(body.text);
  const text = JSON.stringify(body.value) ?? '';
  switch (body.encoding) {
    case 'protobuf':
      return protobufOf(body.kind, JSON.parse(text)) ?? Buffer.concat([MAGIC, Buffer.from(text)]);
    case 'cbor':
      return encodeCbor(JSON.parse(text));
    default:
      return Buffer.from(text);
  }
}

/** Values of wrong types make wrong bytes, or none. */
function protobufOf(kind: Kind | undefined, value: unknown): Buffer | undefined {
  if (kind === undefined) return undefined;
  try {
    const meta = blocks(Buffer.from(apiVersionOf(kind)), Buffer.from(kind.kind));
    return Buffer.concat([MAGIC, blocks(meta, encodeProtobuf(kind.schema, value as object))]);
  } catch {
    return undefined;
  }
}

/** A message of two fields, 1 and 2. */
function blocks(...fields: readonly Buffer[]): Buffer {
  const writer = new Writer();
  for (const [i, bytes] of fields.entries()) {
    writer.tag(i + 1, BYTES);
    writer.block(bytes);
  }
  return writer.bytes();
}
