/** The files of volumes that are made from objects of the API, field by field. */
import { describe, expect, it } from 'vitest';
import type { Volume } from '../../apis/core/volumes.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { filesOf, VolumeError, type VolumeSources } from './sources.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const pod = podOf(
  { containers: [container('main', { resources: { limits: { memory: '64Mi' }, requests: { cpu: '250m' } } })] },
  { metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'web' } } },
);
const asked: [audience: string, seconds: number][] = [];
const sources = {
  configMap: async (_namespace: string, name: string) =>
    name === 'conf' ? { data: { a: 'A', b: 'B' }, binaryData: { c: base64('C') } } : undefined,
  secret: async (_namespace: string, name: string) =>
    name === 'hush' ? { data: { key: base64('value') } } : undefined,
  token: async (_pod: unknown, audience: string, seconds: number) => {
    asked.push([audience, seconds]);
    return 'token';
  },
  nodeAllocatable: { cpu: '4', memory: '8Gi' },
} as unknown as VolumeSources;

/** By path: the text and the permissions. */
async function files(volume: Omit<Volume, 'name'>): Promise<Record<string, string> | undefined> {
  const made = await filesOf(pod, { name: 'v', ...volume }, sources);
  if (made === undefined) return undefined;
  return Object.fromEntries([...made].map(([path, { data, mode }]) => [path, `${data} ${mode.toString(8)}`]));
}

describe('what is not there', () => {
  const items = [{ key: 'none', path: 'x' }];
  it.each<[Omit<Volume, 'name'>, string]>([
    [{ configMap: { name: 'none' } }, 'configmap "none" not found'],
    [{ configMap: { name: 'conf', items } }, 'configmap references non-existent config key: none'],
    [{ secret: { secretName: 'none' } }, 'secret "none" not found'],
    [{ secret: { secretName: 'hush', items } }, 'references non-existent secret key: none'],
    [{ projected: { sources: [{ secret: { name: 'hush', items } }] } }, 'references non-existent secret key: none'],
  ])('%j', async (volume, message) => {
    await expect(files(volume)).rejects.toThrow(new VolumeError(message));
  });
  it('leaves nothing where it need not be', async () => {
    expect(await files({ configMap: { name: 'conf', optional: true, items } })).toEqual({});
    expect(await files({ secret: { secretName: 'hush', optional: true, items } })).toEqual({});
  });
});

describe('files', () => {
  it.each<[string, Omit<Volume, 'name'>, Record<string, string>]>([
    ['configMap: all keys', { configMap: { name: 'conf' } }, { a: 'A 644', b: 'B 644', c: 'C 644' }],
    [
      'configMap: defaultMode',
      { configMap: { name: 'conf', defaultMode: 0o400 } },
      { a: 'A 400', b: 'B 400', c: 'C 400' },
    ],
    [
      'configMap: items with a path and a mode',
      {
        configMap: {
          name: 'conf',
          defaultMode: 0o400,
          items: [
            { key: 'a', path: 'x/y' },
            { key: 'b', path: 'z', mode: 0o600 },
          ],
        },
      },
      { 'x/y': 'A 400', z: 'B 600' },
    ],
    ['configMap: optional', { configMap: { name: 'none', optional: true } }, {}],
    ['secret: secretName, defaultMode', { secret: { secretName: 'hush', defaultMode: 0o440 } }, { key: 'value 440' }],
    ['secret: optional', { secret: { secretName: 'none', optional: true } }, {}],
    [
      'downwardAPI: fieldRef, resourceFieldRef with containerName, divisor',
      {
        downwardAPI: {
          defaultMode: 0o440,
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            { path: 'memory', resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' } },
            {
              path: 'cpu',
              mode: 0o600,
              resourceFieldRef: { containerName: 'main', resource: 'requests.cpu', divisor: '1m' },
            },
          ],
        },
      },
      { labels: 'app="web" 440', memory: '64 440', cpu: '250 600' },
    ],
    [
      'projected: sources beside each other, with one defaultMode',
      {
        projected: {
          defaultMode: 0o444,
          sources: [
            { configMap: { name: 'conf', items: [{ key: 'a', path: 'a' }] } },
            { configMap: { name: 'none', optional: true } },
            { secret: { name: 'hush' } },
            { secret: { name: 'none', optional: true } },
            { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
            { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 700 } },
          ],
        },
      },
      { a: 'A 444', key: 'value 444', name: 'p 444', token: 'token 444' },
    ],
  ])('%s', async (_name, volume, expected) => {
    expect(await files(volume)).toEqual(expected);
  });

  it('a token is for its audience, and its time', () => {
    expect(asked).toContainEqual(['vault', 700]);
  });

  it.each<[string, Omit<Volume, 'name'>]>([
    ['a config map that is not there', { configMap: { name: 'none' } }],
    ['a key that is not there', { configMap: { name: 'conf', items: [{ key: 'none', path: 'x' }] } }],
    ['a secret that is not there', { secret: { secretName: 'none' } }],
    ['clusterTrustBundle', { projected: { sources: [{ clusterTrustBundle: { name: 'b', path: 'x' } }] } }],
    ['podCertificate', { projected: { sources: [{ podCertificate: { signerName: 'a/b', keyType: 'ED25519' } }] } }],
  ])('what cannot be is said: %s', async (_name, volume) => {
    await expect(files(volume)).rejects.toThrow(/not|non-existent/);
  });

  it('other volumes are none of files', async () => {
    expect(await files({ emptyDir: {} })).toBeUndefined();
  });
});
