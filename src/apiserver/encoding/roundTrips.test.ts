/** Objects of every kind come back from every encoding as they were. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { builtinKinds, subresourceKinds } from '../../apis/registry.ts';
import { arbitraryOf } from '../../apis/testing/arbitrary.ts';
import { apiVersionOf, type KubeObject } from '../../machinery/kind.ts';
import { decodeApiProtobuf } from '../../machinery/schema/apiProtobuf.ts';
import { decode } from '../../machinery/schema/decode.ts';
import { decodeCbor } from '../../machinery/schema/decodeCbor.ts';
import { encodeApiProtobuf } from '../../machinery/schema/encodeApiProtobuf.ts';
import { encodeCbor } from '../../machinery/schema/encodeCbor.ts';
import { parseJson } from '../../machinery/schema/parseJson.ts';
import type { ObjectType, Type } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { readYaml } from '../verbs/yamlBody.ts';
import { yamlText } from './yamlText.ts';

const KINDS = [...builtinKinds, ...subresourceKinds].map(
  (kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind] as const,
);
const RUNS = 25;

describe.each(KINDS)('%s', (_name, kind) => {
  const { schema } = kind;
  /** Values as the server has them: decoded, and without what only it would have refused. */
  const objects = arbitraryOf(schema).map((value) => (kind.decode ?? ((v) => decode<KubeObject>(schema, v)))(value));
  const each = (check: (object: KubeObject) => void) =>
    fc.assert(
      fc.property(objects, ({ value, errors }) => {
        fc.pre(errors.length === 0);
        check(value);
      }),
      { numRuns: RUNS },
    );

  it('JSON', () => each((object) => expect(parseJson(JSON.stringify(object)).value).toEqual(object)));

  it('YAML', () => each((object) => expect(readYaml(yamlText(object)).value).toEqual(object)));

  it('CBOR', () =>
    each((object) => {
      expect(decodeCbor(encodeCbor(object, schema))).toEqual(object);
      expect(decodeCbor(encodeCbor(object))).toEqual(object);
    }));

  it('protobuf', () =>
    each((object) => {
      const bytes = encodeApiProtobuf(schema, object);
      // What the envelope says is no part of it.
      const back = { ...decodeApiProtobuf(schema, bytes), ...pick(object, 'apiVersion'), ...pick(object, 'kind') };
      // What is empty is not told from what is absent; what an update sees is the same.
      expect(semanticEqual(schema, withParts(object, schema), withParts(back, schema))).toBe(true);
      expect(encodeApiProtobuf(schema, back).equals(bytes)).toBe(true);
    }));
});

function pick(object: KubeObject, name: 'apiVersion' | 'kind'): Partial<KubeObject> {
  return object[name] === undefined ? {} : { [name]: object[name] };
}

/** Metadata is there in every object that the server has. What an object within names as its kind is not told. */
function withParts(object: KubeObject, schema: ObjectType): unknown {
  return { metadata: {}, ...(withoutKinds(schema, object, 0) as object) };
}

function withoutKinds(type: Type, value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object' || type.kind === 'scalar') return value;
  if (Array.isArray(value)) return type.kind === 'list' ? value.map((v) => withoutKinds(type.of, v, depth + 1)) : value;
  const out: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    if (type.kind === 'map') out[name] = withoutKinds(type.of, item, depth + 1);
    else if (type.kind === 'object') {
      const field = type.fields[name];
      const isKind = depth > 0 && (name === 'apiVersion' || name === 'kind') && field?.wire === undefined;
      if (field !== undefined && !isKind) out[name] = withoutKinds(field.type, item, depth + 1);
    }
  }
  return out;
}
