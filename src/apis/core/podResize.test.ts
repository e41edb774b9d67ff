import { describe, expect, it } from 'vitest';
import type { Container } from './container.ts';
import type { Pod } from './pod.ts';
import { keepAllButResources, validatePodResize } from './podResize.ts';
import type { PodSpec } from './podSpec.ts';

const container = (name: string, cpu?: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'busybox',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
  ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }),
  ...more,
});
const pod = (spec: Partial<PodSpec>): Pod => ({
  metadata: { name: 'p', namespace: 'n', labels: { a: 'b' } },
  spec: {
    containers: [container('c1', '20m'), container('c2', '20m')],
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
    ...spec,
  },
});

/** What becomes of a write, and what is wrong with it. */
function resized(old: Pod, asked: Pod): { pod: Pod; faults: string[] } {
  const written = structuredClone(asked);
  keepAllButResources(written, old);
  const faults = validatePodResize(written, old).map(
    (e) => `${e.field}: ${e.type.replace('FieldValue', '')}: ${e.detail}`,
  );
  return { pod: written, faults };
}

const two = [container('c1', '20m'), container('c2', '20m')];
const RENAMED = 'Forbidden: containers may not be renamed or reordered on resize';

describe('a resize', () => {
  it('changes resources of containers and of the pod, and nothing else', () => {
    const old = pod({ resources: { requests: { cpu: '50m' } } });
    const asked = pod({
      containers: [container('c1', '30m', { image: 'other' }), container('c2', '20m')],
      resources: { requests: { cpu: '60m' } },
      dnsPolicy: 'Default',
    });
    const { pod: written, faults } = resized(old, asked);
    expect(faults).toEqual([]);
    expect(written.spec).toMatchObject({
      dnsPolicy: 'ClusterFirst',
      resources: { requests: { cpu: '60m' } },
      containers: [{ image: 'busybox', resources: { requests: { cpu: '30m' } } }, {}],
    });
  });

  it.each<[string, Partial<PodSpec>, string[]]>([
    [
      'containers in another order',
      { containers: [...two].reverse() },
      [`spec.containers[0].name: ${RENAMED}`, `spec.containers[1].name: ${RENAMED}`],
    ],
    [
      'another name',
      { containers: [two[0] as Container, container('c3', '20m')] },
      [`spec.containers[1].name: ${RENAMED}`],
    ],
    [
      'one less',
      { containers: two.slice(0, 1) },
      ['spec: Forbidden: containers may not be added or removed on resize'],
    ],
    [
      'a request that is taken away',
      { containers: [container('c1', undefined, { resources: {} }), container('c2', '20m')] },
      ['spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed'],
    ],
    [
      'other storage',
      {
        containers: [
          container('c1', '20m', { resources: { requests: { cpu: '20m', 'ephemeral-storage': '3' } } }),
          two[1] as Container,
        ],
      },
      ['spec: Forbidden: only cpu and memory resources are mutable'],
    ],
    [
      'another class of service',
      { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } } },
      ['spec: Invalid: Pod QOS Class may not change as a result of resizing'],
    ],
  ])('refuses %s', (_what, asked, faults) => {
    expect(resized(pod({}), pod(asked)).faults).toEqual(faults);
  });

  it('adds amounts for the pod as a whole, and takes none away', () => {
    const old = pod({ resources: { requests: { cpu: '50m' } } });
    expect(resized(pod({}), old).faults).toEqual([]);
    expect(resized(old, pod({})).faults).toEqual([
      'spec.resources.requests: Forbidden: resource requests cannot be removed',
    ]);
  });
});
