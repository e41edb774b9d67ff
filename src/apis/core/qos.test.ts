import { describe, expect, it } from 'vitest';
import type { PodSpec } from './podSpec.ts';
import { qosClassOf } from './qos.ts';

const both = (cpu: string, memory: string) => ({ cpu, memory });
const guaranteed = { limits: both('1', '1Gi'), requests: both('1000m', '1Gi') };

describe('the class of a pod', () => {
  it.each<[string, object[], string]>([
    ['nothing asked', [{}], 'BestEffort'],
    ['nothing asked in figures', [{ requests: { cpu: '0' } }], 'BestEffort'],
    ['other resources', [{ limits: { 'example.com/gpu': '1' } }], 'BestEffort'],
    ['limits equal to requests', [guaranteed], 'Guaranteed'],
    ['limits alone', [{ limits: both('1', '1Gi') }], 'Guaranteed'],
    ['no limit of memory', [{ limits: { cpu: '1' }, requests: { cpu: '1' } }], 'Burstable'],
    ['limits above requests', [{ limits: both('2', '1Gi'), requests: both('1', '1Gi') }], 'Burstable'],
    ['one container of two', [guaranteed, {}], 'Burstable'],
    ['both containers', [guaranteed, guaranteed], 'Guaranteed'],
  ])('%s', (_what, resources, expected) => {
    const containers = resources.map((r, i) => ({ name: `c${i}`, resources: r }));
    expect(qosClassOf({ containers } as PodSpec)).toBe(expected);
    const [first, ...rest] = containers;
    expect(qosClassOf({ containers: [first], initContainers: rest } as PodSpec)).toBe(expected);
  });

  it('comes from the pod as a whole where it asks', () => {
    expect(qosClassOf({ containers: [{ name: 'a' }], resources: guaranteed } as PodSpec)).toBe('Guaranteed');
  });
});
