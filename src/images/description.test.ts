import { describe, expect, it } from 'vitest';
import { fullImageName } from '../machinery/imageName.ts';
import { DescriptionError, describe as read } from './description.ts';
import { pauseProgram } from './pause.ts';

describe('a description of an image', () => {
  it('has defaults for all that it does not say', () => {
    expect(read({ name: 'a:1', packages: ['busybox-static'] }, 'a.yaml')).toMatchObject({
      names: ['a:1'],
      base: undefined,
      busybox: false,
      entrypoint: [],
      user: '',
    });
  });

  it.each<[string, unknown]>([
    ['is a list', []],
    ['has no name', { packages: ['x1'] }],
    ['has no content', { name: 'a' }],
    ['has a field that there is not', { name: 'a', packages: ['x1'], package: 'y' }],
    ['names a package that could be an option', { name: 'a', packages: ['--help'] }],
    ['has a list that is none', { name: 'a', packages: 'nginx' }],
    ['has a file without a text', { name: 'a', files: { '/x': { mode: 1 } } }],
  ])('is refused where it %s', (_what, value) => {
    expect(() => read(value, 'a.yaml')).toThrow(DescriptionError);
  });
});

describe('fullImageName', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1', 'docker.io/library/nginx:1'],
    ['kubets/echo', 'docker.io/kubets/echo:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['localhost:5000/a/b:c', 'localhost:5000/a/b:c'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
    ['nginx@sha256:0123', 'docker.io/library/nginx@sha256:0123'],
  ])('%s is %s', (name, full) => {
    expect(fullImageName(name)).toBe(full);
  });
});

describe('the pause program', () => {
  it('is an executable for x86-64, and not to be had for what it was not written for', () => {
    const program = pauseProgram('x64');
    expect(program?.subarray(0, 4)).toEqual(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
    expect(program?.length).toBe(214);
    expect(pauseProgram('mips')).toBeUndefined();
  });
});
