import { describe, expect, it } from 'vitest';
import { containerResources } from './podResources.ts';
import type { PodSpec } from './podSpec.ts';

const asks = (cpu: string, more: object = {}) => ({ name: 'c', resources: { requests: { cpu } }, ...more });
const sidecar = (cpu: string) => asks(cpu, { restartPolicy: 'Always' });

describe('what the containers of a pod ask for together', () => {
  it.each<[string, object[], object[], string]>([
    ['the sum', [asks('1'), asks('500m')], [], '1500m'],
    ['an init container that needs more', [asks('1')], [asks('2')], '2'],
    ['an init container that needs less', [asks('3')], [asks('2')], '3'],
    ['a sidecar runs along', [asks('1')], [sidecar('1')], '2'],
    ['a sidecar beside a later init container', [asks('1')], [sidecar('1'), asks('2')], '3'],
    ['a sidecar after an init container', [asks('1')], [asks('2'), sidecar('500m')], '2'],
  ])('%s', (_what, containers, initContainers, cpu) => {
    expect(containerResources({ containers, initContainers } as PodSpec, 'requests')).toEqual({ cpu });
  });
});
