import { describe, expect, it } from 'vitest';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { grant, resizeOf, resizeText, resourcesKey, stillGranted } from './resize.ts';

const container = (cpu: string, memory: string, policy?: string): Container => ({
  name: 'c',
  resources: { requests: { cpu, memory } },
  ...(policy === undefined ? {} : { resizePolicy: [{ resourceName: 'memory', restartPolicy: policy }] }),
});
const pod = (cpu: string, memory = '10Mi'): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [container(cpu, memory)] },
});
const cpuOf = (granted: Pod) => granted.spec?.containers[0]?.resources?.requests?.cpu;

describe('a wish for other resources', () => {
  const full = { reason: 'OutOfcpu', message: 'no room' };
  it.each([
    ['is granted where there is room', undefined, undefined, '2', undefined],
    ['waits where others have it', full, undefined, '1', 'Deferred'],
    ['is none for this node', full, full, '1', 'Infeasible'],
  ])('%s', (_what, beside, alone, cpu, reason) => {
    const room = { infeasibility: () => alone?.message, shortage: () => beside };
    const { pod: granted, pending } = grant(pod('2'), pod('1'), room);
    expect(cpuOf(granted)).toBe(cpu);
    expect(pending?.reason).toBe(reason);
  });

  it('is none where nothing is different, whatever room there is', () => {
    const none = { infeasibility: () => full.message, shortage: () => full };
    expect(grant(pod('1'), pod('1'), none).pending).toBeUndefined();
    expect(grant(pod('1'), undefined, none).pending).toBeUndefined();
  });

  it('is told of with what is wished for', () => {
    const wish = { ...pod('2'), metadata: { name: 'p', generation: 3 } };
    const containers = [{ name: 'c', resources: { requests: { cpu: '2', memory: '10Mi' } } }];
    expect(JSON.parse(resizeText(wish))).toEqual({ containers, generation: 3 });
    expect(JSON.parse(resizeText(wish, 'no room'))).toEqual({ containers, generation: 3, error: 'no room' });
  });

  it('stays what was granted when the pod changes otherwise', () => {
    const labelled = { ...pod('2'), metadata: { name: 'p', labels: { a: 'b' } } };
    const still = stillGranted(labelled, pod('1'));
    expect(still?.metadata?.labels).toEqual({ a: 'b' });
    expect(cpuOf(still ?? {})).toBe('1');
  });
});

describe('a running container', () => {
  it.each([
    ['stays as it is', container('1', '10Mi'), container('1', '10Mi'), 'none'],
    ['is changed', container('1', '10Mi'), container('2', '10Mi'), 'update'],
    [
      'is changed in what needs no restart',
      container('1', '10Mi'),
      container('2', '10Mi', 'RestartContainer'),
      'update',
    ],
    ['starts anew', container('1', '10Mi'), container('1', '20Mi', 'RestartContainer'), 'restart'],
  ])('%s', (_what, before, after, expected) => {
    expect(resizeOf(after, resourcesKey(before))).toBe(expected);
  });

  it('of which nothing is known is left alone', () => {
    expect(resizeOf(container('1', '1Mi'), undefined)).toBe('none');
  });
});
