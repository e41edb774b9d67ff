import { describe, expect, it } from 'vitest';
import { created, createFaults, updated } from '../testing/create.ts';
import { configMaps } from './configMap.ts';
import { secrets } from './secret.ts';

const MiB = 1024 * 1024;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const named = (more: object) => ({ metadata: { name: 'a', namespace: 'default' }, ...more });

describe('a config map', () => {
  it.each<[string, object, string[]]>([
    ['nothing', {}, []],
    ['a key that is none', { data: { 'a/b': '' } }, ['data[a/b]: Invalid']],
    ['a key in both parts', { data: { a: '' }, binaryData: { a: '' } }, ['data[a]: Invalid']],
    ['as much as fits', { data: { a: 'x'.repeat(MiB) } }, []],
    ['as much in base64', { binaryData: { a: base64('x'.repeat(MiB)) } }, []],
    ['too much', { data: { a: 'x'.repeat(MiB) }, binaryData: { b: 'YQ==' } }, ['[]: TooLong']],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(configMaps, named(more))).toEqual(expected);
  });

  it('that is immutable stays so', () => {
    const before = named({ data: { a: '1' }, immutable: true });
    const change = (after: object) => updated(configMaps, configMaps.update, before, named(after)).faults;
    expect(change({ data: { a: '1' }, immutable: true })).toEqual([]);
    expect(change({ data: { a: '2' }, immutable: true })).toEqual(['data: Forbidden']);
    expect(change({ data: { a: '1' } })).toEqual(['immutable: Forbidden']);
  });
});

describe('a secret', () => {
  it('is opaque, and takes in what is written as text', () => {
    const json = named({ data: { a: base64('1') }, stringData: { a: '2', ['__proto__']: 'x', b: 'ä' } });
    expect(created(secrets, json)).toMatchObject({ type: 'Opaque', data: { a: base64('2'), b: base64('ä') } });
    expect(created(secrets, json)).not.toHaveProperty('stringData');
    expect(Object.keys(created(secrets, json).data ?? {})).toContain('__proto__');
  });

  it.each<[string, object, string[]]>([
    ['of its own sort', { type: 'example.com/x' }, []],
    ['for TLS, empty', { type: 'kubernetes.io/tls' }, ['data[tls.crt]: Required', 'data[tls.key]: Required']],
    ['for SSH', { type: 'kubernetes.io/ssh-auth', stringData: { 'ssh-privatekey': 'x' } }, []],
    [
      'for a registry, no JSON',
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': 'x' } },
      ['data[.dockerconfigjson]: Invalid'],
    ],
    [
      'for a service account, of none',
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required'],
    ],
    [
      'for a user, empty',
      { type: 'kubernetes.io/basic-auth' },
      ['data[username]: Required', 'data[password]: Required'],
    ],
    ['for a user', { type: 'kubernetes.io/basic-auth', stringData: { username: 'u' } }, []],
    ['called as a property of every object', { type: '__proto__' }, []],
  ])('%s', (_what, more, expected) => {
    expect(createFaults(secrets, named(more))).toEqual(expected);
  });

  it('keeps its type', () => {
    expect(updated(secrets, secrets.update, named({}), named({ type: 'x' })).faults).toEqual(['type: Invalid']);
  });
});
