import { describe, expect, it } from 'vitest';
import { received } from '../testing/create.ts';
import { container, pod } from '../testing/pods.ts';
import { pods } from './pod.ts';
import { templateWarnings } from './podWarnings.ts';

const told = (spec: object, annotations?: object) => {
  const metadata = { name: 'web', namespace: 'default', ...(annotations === undefined ? {} : { annotations }) };
  return pods.warnings?.(received(pods, pod(spec, { metadata }))) ?? [];
};
const of = (more: object) => told({ containers: [container(more)] });
const C = 'spec.containers[0]';
const term = { matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }] };

describe('who writes a pod is told', () => {
  it('nothing where there is nothing to say', () => {
    expect(told({})).toEqual([]);
    expect(
      of({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '$(A)2' },
        ],
      }),
    ).toEqual([]);
    expect(of({ resources: { limits: { memory: '1Gi', cpu: '100m' } } })).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    [
      'of labels that have newer names',
      {
        nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' },
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
        },
      },
      [
        'spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead',
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      ],
    ],
    [
      'of selectors that select nothing',
      {
        affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a' }] } },
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'DoNotSchedule' }],
      },
      [
        'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
        'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
      ],
    ],
    [
      'of volumes that are no more',
      { volumes: [{ name: 'v', rbd: { monitors: ['a'], image: 'b' } }] },
      ['spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+'],
    ],
    [
      'of what is there twice',
      {
        hostAliases: [
          { ip: '10.0.0.1', hostnames: ['a'] },
          { ip: '10.0.0.1', hostnames: ['b'] },
        ],
        imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}],
      },
      [
        'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
        'spec.imagePullSecrets[1].name: duplicate name "a"',
        'spec.imagePullSecrets[2].name: invalid empty name ""',
      ],
    ],
  ])('%s', (_name, spec, expected) => {
    expect(told(spec)).toEqual(expected);
  });

  it('of annotations that do nothing', () => {
    expect(told({}, { 'security.alpha.kubernetes.io/sysctls': 'a=b' })).toEqual([
      'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
    ]);
  });

  it.each<[string, object, string[]]>([
    [
      'of parts of a byte',
      { resources: { limits: { memory: '100m' } } },
      ['limits', 'requests'].map(
        (which) => `${C}.resources.${which}[memory]: fractional byte value "100m" is invalid, must be an integer`,
      ),
    ],
    [
      'of variables that hide others',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      [`${C}.env[1]: hides previous definition of "A", which may be dropped when using apply`],
    ],
    [
      'of ports that are the same',
      { ports: [{ containerPort: 1 }, { containerPort: 1 }, { containerPort: 1, hostPort: 1 }] },
      [
        `${C}.ports[1]: duplicate port definition with ${C}.ports[0]`,
        `${C}.ports[2]: overlapping port definition with ${C}.ports[0]`,
        `${C}.ports[2]: overlapping port definition with ${C}.ports[1]`,
      ],
    ],
  ])('%s', (_name, more, expected) => {
    expect(of(more)).toEqual(expected);
  });

  it('of what only Windows has', () => {
    const windowsOptions = { runAsUserName: 'user' };
    const what = 'has no effect: no node of this cluster runs Windows';
    expect(
      told({ securityContext: { windowsOptions }, containers: [container({ securityContext: { windowsOptions } })] }),
    ).toEqual([`spec.securityContext.windowsOptions: ${what}`, `${C}.securityContext.windowsOptions: ${what}`]);
  });

  it('where a template is', () => {
    const ports = [{ containerPort: 1 }, { containerPort: 1 }];
    const containers = [{ name: 'a', ports }];
    expect(templateWarnings({ spec: { containers, imagePullSecrets: [{}] } }, 'spec.template')).toEqual([
      'spec.template.spec.imagePullSecrets[0].name: invalid empty name ""',
      'spec.template.spec.containers[0].ports[1]: duplicate port definition with spec.template.spec.containers[0].ports[0]',
    ]);
  });
});
