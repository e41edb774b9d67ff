import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import type { AuthConfig, Image } from '../cri/messages.ts';
import { RuntimeError } from '../cri/runtime.ts';
import { fakeRuntime } from '../testing/fakeRuntime.ts';
import { container } from '../testing/observedPods.ts';
import { ImageError, ImagePuller, normalizeImage } from './puller.ts';
import { authsFor, registryAuths } from './pullSecrets.ts';

describe('names of images', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['me/app', 'docker.io/me/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
    [`a/b@sha256:${'0'.repeat(64)}`, `docker.io/a/b@sha256:${'0'.repeat(64)}`],
    [`b:1@sha256:${'0'.repeat(64)}`, `docker.io/library/b:1@sha256:${'0'.repeat(64)}`],
  ])('%s is %s', (name, full) => {
    expect(normalizeImage(name)).toBe(full);
  });

  it.each(['', ' ', 'NGINX', 'a b', 'a//b', '/a', 'a/', 'a:', 'a:b:c', 'a@b', 'http://x/y', 'a'.repeat(5000)])(
    '%s is none',
    (name) => {
      expect(() => normalizeImage(name)).toThrow(ImageError);
    },
  );
});

interface Setting {
  readonly present?: Image;
  /** what pulls give, one after the other; the last one again and again */
  readonly pulls?: readonly (Image | Error)[];
}

function setUp({ present, pulls = [] }: Setting) {
  const clock = new VirtualClock();
  let image = present;
  let asked = 0;
  const runtime = fakeRuntime({
    imageStatus: () => (image === undefined ? {} : { image }),
    pullImage: () => {
      const result = pulls[Math.min(asked++, pulls.length - 1)] ?? new RuntimeError(5, 'no pull was expected');
      if (result instanceof Error) throw result;
      image = result;
      return { image_ref: result.id ?? '' };
    },
  });
  const puller = new ImagePuller(runtime, clock);
  const said: string[] = [];
  const progress = {
    pulling: () => said.push('pulling'),
    present: () => said.push('present'),
    pulled: (_image: string, _ms: number, _wholeMs: number, bytes: number) => said.push(`pulled ${bytes}`),
    failed: () => said.push('failed'),
    backingOff: () => said.push('backing off'),
  };
  const ensure = async (imagePullPolicy: string) => {
    try {
      return (await puller.ensure(container('main', { image: 'app', imagePullPolicy }), [], progress)).id;
    } catch (error) {
      return (error as ImageError).reason;
    }
  };
  return { clock, ensure, said, puller, pulls: () => asked };
}

const LOADED: Image = { id: 'sha256:1' };
const PULLED: Image = { id: 'sha256:2', repo_digests: ['app@sha256:2'], size: 42 };
const refused = new RuntimeError(2, 'dial tcp: lookup registry-1.docker.io: no such host');
const denied = new RuntimeError(2, 'pull access denied, repository does not exist');

describe('the pull policy', () => {
  it.each([
    ['IfNotPresent', { present: LOADED }, 'sha256:1', ['present']],
    ['IfNotPresent', { pulls: [PULLED] }, 'sha256:2', ['pulling', 'pulled 42']],
    ['Never', { present: LOADED }, 'sha256:1', ['present']],
    ['Never', {}, 'ErrImageNeverPull', []],
    ['Always', { present: LOADED, pulls: [PULLED] }, 'sha256:2', ['pulling', 'pulled 42']],
    ['Always', { present: LOADED, pulls: [refused] }, 'sha256:1', ['pulling', 'present']],
    ['Always', { present: LOADED, pulls: [denied] }, 'ErrImagePull', ['pulling', 'failed']],
    ['Always', { present: PULLED, pulls: [refused] }, 'ErrImagePull', ['pulling', 'failed']],
  ] as const)('%s, %j: %s', async (policy, setting, result, events) => {
    const { ensure, said } = setUp(setting);
    expect(await ensure(policy)).toBe(result);
    expect(said).toEqual(events);
  });

  it('backs off after a failure', async () => {
    const { ensure, clock, pulls, puller } = setUp({ pulls: [denied, denied, PULLED] });
    expect(await ensure('IfNotPresent')).toBe('ErrImagePull');
    expect(puller.retryAt('app')).toBe(clock.now() + 10_000);
    expect(await ensure('IfNotPresent')).toBe('ImagePullBackOff');
    await clock.advance(10_000);
    expect(await ensure('IfNotPresent')).toBe('ErrImagePull');
    await clock.advance(19_999);
    expect(await ensure('IfNotPresent')).toBe('ImagePullBackOff');
    await clock.advance(1);
    expect(await ensure('IfNotPresent')).toBe('sha256:2');
    expect(pulls()).toBe(3);
    expect(puller.retryAt('app')).toBeUndefined();
  });

  it('pulls once for many, and leaves a registry that does not answer alone for a while', async () => {
    const many = setUp({ pulls: [PULLED] });
    await Promise.all(Array.from({ length: 10 }, () => many.ensure('Always')));
    expect(many.pulls()).toBe(1);
    const offline = setUp({ present: LOADED, pulls: [refused] });
    for (let i = 0; i < 3; i++) expect(await offline.ensure('Always')).toBe('sha256:1');
    expect(offline.pulls()).toBe(1);
    await offline.clock.advance(60_001);
    await offline.ensure('Always');
    expect(offline.pulls()).toBe(2);
  });
});

describe('credentials', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

  it('come from secrets of both forms', () => {
    const auths = { 'https://index.docker.io/v1/': { username: 'me', password: 'x' } };
    const expected = [{ server_address: 'https://index.docker.io/v1/', username: 'me', password: 'x' }];
    expect(registryAuths({ data: { '.dockerconfigjson': encode({ auths }) } })).toEqual(expected);
    expect(registryAuths({ data: { '.dockercfg': encode(auths) } })).toEqual(expected);
    expect(registryAuths({ data: { '.dockerconfigjson': 'bm9uc2Vuc2U=' } })).toEqual([]);
    expect(registryAuths({ data: { other: 'x' } })).toEqual([]);
  });

  it('go to their own registry only', () => {
    const hub: AuthConfig = { server_address: 'https://index.docker.io/v1/' };
    const own: AuthConfig = { server_address: 'registry.example.com:5000' };
    expect(authsFor('docker.io/library/nginx:latest', [own, hub])).toEqual([hub]);
    expect(authsFor('registry.example.com:5000/a:b', [own, hub])).toEqual([own]);
    expect(authsFor('elsewhere.example.com/a:b', [own, hub])).toEqual([undefined]);
  });
});

describe('pulls of different images', () => {
  it.each([
    ['one after the other', 1, 1],
    ['two at a time', 2, 2],
    ['all at once', undefined, 3],
  ] as const)('%s', async (_what, atOnce, expected) => {
    const clock = new VirtualClock(0);
    const there = new Set<string>();
    let underWay = 0;
    let most = 0;
    const runtime = fakeRuntime({
      imageStatus: ({ image }) => (there.has(image?.image ?? '') ? { image: { id: image?.image ?? '' } } : {}),
      async pullImage({ image }) {
        most = Math.max(most, ++underWay);
        await clock.sleep(1000);
        underWay--;
        there.add(image?.image ?? '');
        return {};
      },
    });
    const puller = new ImagePuller(runtime, clock, atOnce);
    const times: number[][] = [];
    const nothing = () => {};
    const progress = {
      pulling: nothing,
      present: nothing,
      failed: nothing,
      backingOff: nothing,
      pulled: (_image: string, ms: number, wholeMs: number) => times.push([ms, wholeMs]),
    };
    const pulls = ['a', 'b', 'c'].map((image) => puller.ensure(container('main', { image }), [], progress));
    await clock.advance(10_000);
    await Promise.all(pulls);
    expect(most).toBe(expected);
    expect(times.map(([ms]) => ms)).toEqual([1000, 1000, 1000]);
    expect(Math.max(...times.map(([, wholeMs = 0]) => wholeMs))).toBe(Math.ceil(3 / expected) * 1000);
  });
});
