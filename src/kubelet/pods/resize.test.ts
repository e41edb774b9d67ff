import { describe, expect, it } from 'vitest';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { grant, lowerMemory, resizeOf, resizeText, resourcesKey, stillGranted, wholeKey } from './resize.ts';

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

describe('a pod as a whole', () => {
  const room = { infeasibility: () => undefined, shortage: () => undefined };
  const whole = (cpu: string): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [container('1', '1Mi')], resources: { requests: { cpu } } },
  });

  it('gets what it wishes for where there is room, and else keeps what it has', () => {
    expect(wholeKey(grant(whole('3'), whole('2'), room).pod)).toBe(wholeKey(whole('3')));
    const full = { ...room, shortage: () => ({ reason: 'OutOfcpu', message: 'no room' }) };
    const { pod: kept, pending } = grant(whole('3'), whole('2'), full);
    expect([wholeKey(kept), pending?.reason]).toEqual([wholeKey(whole('2')), 'Deferred']);
    expect(wholeKey(stillGranted(whole('3'), pod('1')) ?? {})).toBe(wholeKey(pod('1')));
  });
});

describe('a memory limit', () => {
  const key = (memory?: string) =>
    resourcesKey({ name: 'c', ...(memory === undefined ? {} : { resources: { limits: { memory } } }) });
  it.each([
    ['falls', '1Mi', '2Mi', 1048576],
    ['is new', '1Mi', undefined, 1048576],
    ['rises', '2Mi', '1Mi', undefined],
    ['is the same', '1Mi', '1024Ki', undefined],
    ['is none', undefined, undefined, undefined],
  ])('%s', (_what, now, before, expected) => {
    expect(lowerMemory(key(now), key(before))).toBe(expected);
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
