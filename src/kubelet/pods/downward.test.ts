import { expect, it } from 'vitest';
import { container, podOf } from '../testing/observedPods.ts';
import { downwardResource } from './downward.ts';

it('tells a container without limits of those of its pod, or else of the node', () => {
  const node = { cpu: '4', memory: '8Gi', 'ephemeral-storage': '10Gi', 'hugepages-2Mi': '4Mi' };
  const limits = (own: Record<string, string>, whole?: Record<string, string>) => {
    const c = container('c', { resources: { limits: own } });
    const pod = podOf({ containers: [c], ...(whole === undefined ? {} : { resources: { limits: whole } }) });
    const names = ['cpu', 'memory', 'ephemeral-storage', 'hugepages-2Mi'];
    return names.map((name) => downwardResource(pod, { resource: `limits.${name}` }, 'c', node));
  };
  const GI = 2 ** 30;
  expect(limits({})).toEqual(['4', String(8 * GI), String(10 * GI), '0']);
  expect(limits({ cpu: '0', memory: '1Gi' })).toEqual(['4', String(GI), String(10 * GI), '0']);
  expect(limits({ memory: '1Gi', 'hugepages-2Mi': '2Mi' }, { cpu: '2', memory: '2Gi' })).toEqual([
    '2',
    String(GI),
    String(10 * GI),
    String(2 << 20),
  ]);
});
