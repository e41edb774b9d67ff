import { expect, it } from 'vitest';
import { bundlesOf } from './deadBundles.ts';

const id = 'a'.repeat(64);

it('finds the root file systems that containerd mounted', () => {
  const rootfs = `/run/k/containerd/io.containerd.runtime.v2.task/k8s.io/${id}/rootfs`;
  const mounts = [
    `overlay ${rootfs} overlay rw 0 0`,
    `overlay ${rootfs}/proc proc rw 0 0`,
    `overlay /run/k/containerd/io.containerd.runtime.v2.task/moby/${id}/rootfs overlay rw 0 0`,
    'tmpfs /tmp tmpfs rw 0 0',
    '',
  ];
  expect(bundlesOf(mounts.join('\n'))).toEqual([{ id, state: '/run/k/containerd', rootfs }]);
});
