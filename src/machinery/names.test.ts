import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  configMapKey,
  dnsLabel,
  dnsLabel1035,
  dnsSubdomain,
  envVarName,
  ipAddress,
  labelValue,
  pathSegment,
  portName,
  portNumber,
  qualifiedName,
} from './names.ts';

const long = (n: number) => 'a'.repeat(n);

describe.each([
  [
    'dnsLabel',
    dnsLabel,
    ['a', '0', 'my-name', '123-abc', long(63)],
    ['', '-a', 'a-', 'A', 'a.b', 'a_b', 'é', 'a\n', long(64)],
  ],
  ['dnsLabel1035', dnsLabel1035, ['a', 'my-name', long(63)], ['', '1a', 'a-', 'A', long(64)]],
  [
    'dnsSubdomain',
    dnsSubdomain,
    ['a', '1.2', 'example.com', long(253)],
    ['', '.a', 'a.', 'a..b', 'A.b', 'a_b', long(254)],
  ],
  [
    'qualifiedName',
    qualifiedName,
    ['app', 'App_1.x', 'example.com/App', `${long(253)}/${long(63)}`],
    ['', '/', 'a/', '/a', 'a/b/c', '-a', 'a-', 'Example.com/a', 'a b', long(64), `${long(254)}/a`],
  ],
  ['labelValue', labelValue, ['', 'a', 'A_b.c-1', long(63)], ['-', 'a-', '_a', 'a b', 'a/b', long(64)]],
  [
    'configMapKey',
    configMapKey,
    ['a', '.hidden', 'A_b-c.txt', '.a..'],
    ['', '.', '..', '..a', 'a/b', 'a b', long(254)],
  ],
  ['envVarName', envVarName, ['A', '1', 'a b', 'a.b-c', '~'], ['', 'a=b', 'é', 'a\tb']],
  ['portName', portName, ['http', 'a', 'p-1', '1a'], ['', '1', 'a--b', '-a', 'a-', 'A', long(16)]],
  ['portNumber', portNumber, [1, 65535], [0, -1, 65536, 1.5, Number.NaN]],
  [
    'ipAddress',
    ipAddress,
    ['10.0.0.1', '::1', '2001:db8::ffff'],
    ['', '10.0.0', '10.0.0.256', '010.0.0.1', ':::', 'a'],
  ],
  ['pathSegment', pathSegment, ['a', 'system:node', 'a b'], ['.', '..', 'a/b', 'a%b']],
] as [string, (value: string | number) => string[], (string | number)[], (string | number)[]][])(
  '%s',
  (_name, faultsOf, right, wrong) => {
    it.each(right)('accepts %j', (value) => expect(faultsOf(value)).toEqual([]));
    it.each(wrong)('refuses %j', (value) => expect(faultsOf(value)).not.toEqual([]));
  },
);

it('says what is asked for in the words that clients know', () => {
  expect(dnsLabel('A'.repeat(64))).toEqual([
    'must be no more than 63 bytes',
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  expect(qualifiedName('/a')).toEqual(['prefix part must be non-empty']);
  expect(qualifiedName('a/')[0]).toBe('name part must be non-empty');
  expect(configMapKey('..')).toEqual(["must not be '..'"]);
});

it('takes no text badly, however long', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => void [qualifiedName(text), configMapKey(text), portName(text)],
    ),
  );
  expect(dnsSubdomain('a.'.repeat(1_000_000))).toHaveLength(2);
});
