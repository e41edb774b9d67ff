/** For property tests: values of a schema type, of any shape that decoding lets through, most of them nonsense. */
import fc from 'fast-check';
import type { Type } from '../../machinery/schema/types.ts';

/** Words that mean something somewhere, so that code behind the first check is reached too. */
const WORDS = [
  '',
  'a',
  'web',
  'Always',
  'Never',
  'None',
  'In',
  'Exists',
  'TCP',
  'ClusterIP',
  'ClientIP',
  'RollingUpdate',
  'Localhost',
  'ServiceAccount',
  '10.0.0.1',
  'x/y/z',
  '../..',
  '__proto__',
  '25%',
  'ä',
  'NoExecute',
  'kubernetes.io/tls',
  'v1',
];

export function arbitraryOf(type: Type, depth = 7): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'scalar':
      switch (type.scalar) {
        case 'boolean':
          return fc.boolean();
        case 'int32':
        case 'int64':
        case 'double':
          return fc.constantFrom(-1, 0, 1, 2, 80, 70000, 2 ** 31 - 1);
        case 'quantity':
          return fc.constantFrom('0', '-1', '500m', '1', '128Mi', '1n', '1e3');
        case 'intOrString':
          return fc.oneof(fc.constantFrom(0, 1, -3, 99999), fc.constantFrom(...WORDS));
        case 'time':
        case 'microTime':
          return fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T00:00:01.5Z');
        case 'bytes':
          return fc.constantFrom('', 'YQ==');
        case 'duration':
          return fc.constant('1m');
        case 'rawObject':
          return fc.constant({});
        case 'any':
          return fc.constant(null);
        default:
          return fc.constantFrom(...WORDS);
      }
    case 'list':
      return depth <= 0 ? fc.constant([]) : fc.array(arbitraryOf(type.of, depth - 1), { maxLength: 2 });
    case 'map':
      if (depth <= 0) return fc.constant({});
      return fc.dictionary(
        fc.constantFrom(...WORDS.slice(1), 'cpu', 'memory', 'cpu', 'memory', '__proto__'),
        arbitraryOf(type.of, depth - 1),
        {
          maxKeys: 2,
        },
      );
    case 'object': {
      if (depth <= 0) return fc.constant({});
      const names = Object.keys(type.fields);
      // Few fields of many at a time: all of them together would be too large.
      return fc.subarray(names, { maxLength: Math.min(names.length, 6) }).chain((chosen) =>
        fc.record(
          Object.fromEntries(
            // The names come from the fields themselves.
            chosen.map((name) => [name, arbitraryOf((type.fields[name] as { type: Type }).type, depth - 1)]),
          ),
        ),
      );
    }
  }
}
