import { describe, expect, it } from 'vitest';
import { createFaults } from '../../testing/create.ts';
import { container, pod } from '../../testing/pods.ts';
import { pods } from '../pod.ts';

const faults = (spec: object) => createFaults(pods, pod(spec));
const C = 'spec.containers[0]';
const S = 'spec.securityContext';

describe('a pod for an operating system', () => {
  it.each<[string, object, string[]]>([
    ['that is none', { os: { name: 'plan9' } }, ['spec.os.name: NotSupported']],
    ['Linux', { os: { name: 'linux' }, hostPID: true, securityContext: { runAsUser: 1 } }, []],
    [
      'Linux, with what only Windows has',
      {
        os: { name: 'linux' },
        securityContext: { windowsOptions: { runAsUserName: 'a' } },
        containers: [container({ securityContext: { windowsOptions: { runAsUserName: 'a' } } })],
      },
      [`${S}.windowsOptions: Forbidden`, `${C}.securityContext.windowsOptions: Forbidden`],
    ],
    ['Windows', { os: { name: 'windows' }, securityContext: { windowsOptions: { runAsUserName: 'NT\\user' } } }, []],
    [
      'Windows, with what only Linux has',
      {
        os: { name: 'windows' },
        hostPID: true,
        hostUsers: true,
        shareProcessNamespace: true,
        securityContext: { fsGroup: 1, runAsUser: 1, seccompProfile: { type: 'RuntimeDefault' }, sysctls: [] },
        containers: [container({ securityContext: { privileged: true, capabilities: {} } })],
      },
      [
        'spec.shareProcessNamespace: Invalid',
        'spec.hostUsers: Forbidden',
        'spec.hostPID: Forbidden',
        'spec.shareProcessNamespace: Forbidden',
        `${S}.seccompProfile: Forbidden`,
        `${S}.fsGroup: Forbidden`,
        `${S}.runAsUser: Forbidden`,
        `${C}.securityContext.capabilities: Forbidden`,
        `${C}.securityContext.privileged: Forbidden`,
      ],
    ],
  ])('%s', (_name, spec, expected) => {
    expect(faults(spec).sort()).toEqual([...expected].sort());
  });

  it.each<[string, object, string[]]>([
    ['an account that is empty', { runAsUserName: '' }, ['runAsUserName']],
    ['an account of two domains', { runAsUserName: 'a\\b\\c' }, ['runAsUserName']],
    ['an account of no name', { runAsUserName: 'domain\\' }, ['runAsUserName']],
    ['an account of dots', { runAsUserName: '...' }, ['runAsUserName']],
    ['an account with a line break', { runAsUserName: 'a\nb' }, ['runAsUserName']],
    ['an account of a domain in DNS', { runAsUserName: 'domain.example.com\\user' }, []],
    [
      'credentials of no name',
      { gmsaCredentialSpecName: 'A_b', gmsaCredentialSpec: '' },
      ['gmsaCredentialSpecName', 'gmsaCredentialSpec'],
    ],
    ['credentials beyond measure', { gmsaCredentialSpec: 'x'.repeat(65_537) }, ['gmsaCredentialSpec']],
  ])('%s', (_name, windowsOptions, expected) => {
    const found = faults({ securityContext: { windowsOptions } }).map((fault) => fault.replace(/: .*/, ''));
    expect(found).toEqual(expected.map((field) => `${S}.windowsOptions.${field}`));
  });

  it.each<[string, object, string[]]>([
    ['all are processes of the host', { hostNetwork: true }, []],
    ['on a network of their own', {}, ['spec.hostNetwork: Invalid']],
    [
      'one of them not',
      { hostNetwork: true, containers: [container({ securityContext: { windowsOptions: { hostProcess: false } } })] },
      [`${C}.securityContext.windowsOptions.hostProcess: Invalid`],
    ],
  ])('%s', (_name, more, expected) => {
    expect(faults({ securityContext: { windowsOptions: { hostProcess: true } }, ...more })).toEqual(expected);
  });
});
