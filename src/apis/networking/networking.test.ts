import { describe, expect, it } from 'vitest';
import type { Kind } from '../../machinery/kind.ts';
import { tableRow } from '../../machinery/table.ts';
import { runtimeClasses } from '../node/runtimeClass.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { ingresses } from './ingress.ts';
import { ingressClasses } from './ingressClass.ts';
import { ipAddresses } from './ipAddress.ts';
import { networkPolicies } from './networkPolicy.ts';
import { serviceCIDRs } from './serviceCIDR.ts';

const metadata = { name: 'a', namespace: 'default' };
const policy = (spec: object) => ({ metadata, spec: { podSelector: {}, ...spec } });
const from = (...peers: object[]) => policy({ ingress: [{ from: peers }] });
const ports = (...of: object[]) => policy({ egress: [{ ports: of }] });
const block = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, except } });
const backend = { service: { name: 'web', port: { number: 80 } } };
const ingress = (spec: object, annotations: Record<string, string> = {}) => ({
  metadata: { ...metadata, annotations },
  spec,
});
const paths = (...of: object[]) => ingress({ rules: [{ http: { paths: of } }] });
const path = (more: object) => ({ path: '/', pathType: 'Prefix', backend, ...more });
const ingressClass = (more: object = {}) => ({ metadata, spec: { controller: 'example.com/c', ...more } });
const parameters = { kind: 'K', name: 'n' };
const address = (parentRef?: object) => ({ metadata: { name: '10.0.0.1' }, spec: { parentRef } });
const range = (...cidrs: string[]) => ({ metadata: { name: 'r' }, spec: { cidrs } });
const runtime = (more: object = {}) => ({ metadata: { name: 'r' }, handler: 'runsc', ...more });
const at = 'spec.rules[0].http.paths[0]';

describe('what is wrong with', () => {
  it.each<[string, Kind, object, string[]]>([
    ['a policy', networkPolicies, policy({}), []],
    ['a peer that is nobody', networkPolicies, from({}), ['spec.ingress[0].from[0]: Required']],
    [
      'a peer that is two',
      networkPolicies,
      from({ podSelector: {}, ...block('10.0.0.0/8') }),
      ['spec.ingress[0].from[0]: Forbidden'],
    ],
    [
      'ranges that are none, or not within',
      networkPolicies,
      from(
        block('10.0.0.0/33'),
        block('10.1.0.0/16', '10.1.0.0/16', '10.2.0.0/24', '10.1.1.0/24'),
        block('10.0.0.1/8'),
      ),
      [
        'spec.ingress[0].from[0].ipBlock.cidr: Invalid',
        'spec.ingress[0].from[1].ipBlock.except[0]: Invalid',
        'spec.ingress[0].from[1].ipBlock.except[1]: Invalid',
        'spec.ingress[0].from[2].ipBlock.cidr: Invalid',
      ],
    ],
    [
      'odd ports',
      networkPolicies,
      ports(
        { protocol: 'x', port: 0 },
        { port: 90, endPort: 80 },
        { port: 'web', endPort: 80 },
        { endPort: 80 },
        { port: 'No Name' },
      ),
      [
        'spec.egress[0].ports[0].protocol: NotSupported',
        'spec.egress[0].ports[0].port: Invalid',
        'spec.egress[0].ports[1].endPort: Invalid',
        'spec.egress[0].ports[2].endPort: Invalid',
        'spec.egress[0].ports[3].endPort: Invalid',
        'spec.egress[0].ports[4].port: Invalid',
      ],
    ],
    ['odd types', networkPolicies, policy({ policyTypes: ['x'] }), ['spec.policyTypes[0]: NotSupported']],
    ['an ingress', ingresses, ingress({ defaultBackend: backend }), []],
    ['an ingress to nowhere', ingresses, ingress({}), ['spec: Invalid']],
    ['rules without paths', ingresses, paths(), ['spec.rules[0].http.paths: Required']],
    ['a path', ingresses, paths(path({})), []],
    ['a path of no type', ingresses, paths(path({ pathType: undefined })), [`${at}.pathType: Required`]],
    ['a path of an odd type', ingresses, paths(path({ pathType: 'x' })), [`${at}.pathType: NotSupported`]],
    [
      'a path that leads elsewhere',
      ingresses,
      paths(path({ path: 'a//b/..' })),
      [`${at}.path: Invalid`, `${at}.path: Invalid`, `${at}.path: Invalid`],
    ],
    [
      'no path, where that is somebody’s own affair',
      ingresses,
      paths(path({ path: '', pathType: 'ImplementationSpecific' })),
      [],
    ],
    ['nothing behind it', ingresses, paths(path({ backend: {} })), [`${at}.backend: Invalid`]],
    [
      'two things behind it',
      ingresses,
      paths(path({ backend: { ...backend, resource: { kind: 'K', name: 'n' } } })),
      [`${at}.backend: Invalid`],
    ],
    [
      'a service without a name, and without a port',
      ingresses,
      paths(path({ backend: { service: {} } })),
      [`${at}.backend.service.name: Required`, `${at}.backend: Required`],
    ],
    [
      'two ports',
      ingresses,
      paths(path({ backend: { service: { name: 'a', port: { name: 'x', number: 1 } } } })),
      [`${at}.backend: Invalid`],
    ],
    ['an address for a host', ingresses, ingress({ rules: [{ host: '10.0.0.1' }] }), ['spec.rules[0].host: Invalid']],
    ['every host below', ingresses, ingress({ rules: [{ host: '*.example.com' }] }), []],
    ['a star in the middle', ingresses, ingress({ rules: [{ host: 'a.*.com' }] }), ['spec.rules[0].host: Invalid']],
    [
      'odd certificates',
      ingresses,
      ingress({ defaultBackend: backend, tls: [{ hosts: ['A'], secretName: 'B' }] }),
      ['spec.tls[0].hosts[0]: Invalid', 'spec.tls[0].secretName: Invalid'],
    ],
    [
      'two classes',
      ingresses,
      ingress({ defaultBackend: backend, ingressClassName: 'a' }, { 'kubernetes.io/ingress.class': 'b' }),
      ['annotations.kubernetes.io/ingress.class: Invalid'],
    ],
    ['a class', ingressClasses, ingressClass({ parameters }), []],
    ['a class of nobody', ingressClasses, ingressClass({ controller: '' }), ['spec.controller: Required']],
    ['a class without a domain', ingressClasses, ingressClass({ controller: 'c' }), ['spec.controller: Invalid']],
    [
      'parameters nowhere',
      ingressClasses,
      ingressClass({ parameters: { ...parameters, scope: 'Namespace' } }),
      ['spec.parameters.namespace: Required'],
    ],
    [
      'parameters everywhere and somewhere',
      ingressClasses,
      ingressClass({ parameters: { kind: 'a/b', scope: 'Cluster', namespace: 'x' } }),
      ['spec.parameters.kind: Invalid', 'spec.parameters.name: Required', 'spec.parameters.namespace: Forbidden'],
    ],
    ['an address of nobody', ipAddresses, address(), ['spec.parentRef: Required']],
    [
      'an address of nothing',
      ipAddresses,
      address({}),
      ['spec.parentRef.resource: Required', 'spec.parentRef.name: Required'],
    ],
    ['ranges', serviceCIDRs, range('10.0.0.0/16', 'fd00::/112'), []],
    ['no range', serviceCIDRs, range(), ['spec.cidrs: Required']],
    ['ranges of one family', serviceCIDRs, range('10.0.0.0/16', '10.1.0.0/16'), ['spec.cidrs: Invalid']],
    ['too many ranges', serviceCIDRs, range('10.0.0.0/16', 'fd00::/112', 'x'), ['spec.cidrs: Invalid']],
    ['odd ranges', serviceCIDRs, range('10.0.0.1/16', 'x'), ['spec.cidrs[0]: Invalid', 'spec.cidrs[1]: Invalid']],
    ['a runtime class', runtimeClasses, runtime({ overhead: { podFixed: { cpu: '100m' } } }), []],
    [
      'an odd runtime class',
      runtimeClasses,
      runtime({
        handler: 'A',
        overhead: { podFixed: { cpu: '-1' } },
        scheduling: { nodeSelector: { 'a b': 'c' }, tolerations: [{ operator: 'x' }] },
      }),
      [
        'handler: Invalid',
        'overhead.limits[cpu]: Invalid',
        'scheduling.nodeSelector: Invalid',
        'scheduling.tolerations[0].operator: Invalid',
        'scheduling.tolerations[0].operator: NotSupported',
      ],
    ],
  ])('%s', (_what, kind, json, faults) => {
    expect(createFaults(kind, json)).toEqual(faults);
  });

  it.each<[string, boolean]>([
    ['10.0.0.1', true],
    ['fd00::1', true],
    ['010.0.0.1', false],
    ['fd00:0::1', false],
    ['FD00::1', false],
    ['fe80::1%eth0', false],
    ['a', false],
  ])('an address named %s', (name, right) => {
    expect(ipAddresses.nameRule?.(name)).toHaveLength(right ? 0 : 1);
  });
});

describe('what changes of', () => {
  it.each<[string, Kind, object, object, string[]]>([
    ['a policy', networkPolicies, policy({}), from(block('10.0.0.0/8')), []],
    [
      'a policy, odd from before',
      networkPolicies,
      from(block('10.0.0.1/8')),
      from(block('10.0.0.1/8'), { podSelector: {} }),
      [],
    ],
    [
      'the controller of a class',
      ingressClasses,
      ingressClass(),
      ingressClass({ controller: 'a.b/c' }),
      ['spec.controller: Invalid'],
    ],
    [
      'an address',
      ipAddresses,
      address({ resource: 'services', name: 'a' }),
      address({ resource: 'services', name: 'b' }),
      ['spec.parentRef: Invalid'],
    ],
    ['a range', serviceCIDRs, range('10.0.0.0/16'), range('10.1.0.0/16'), ['spec.cidrs[0]: Invalid']],
    ['ranges: one more', serviceCIDRs, range('10.0.0.0/16'), range('10.0.0.0/16', 'fd00::/112'), []],
    [
      'ranges: one less',
      serviceCIDRs,
      range('10.0.0.0/16', 'fd00::/112'),
      range('10.0.0.0/16'),
      ['spec.cidrs: Invalid'],
    ],
    ['the handler of a runtime class', runtimeClasses, runtime(), runtime({ handler: 'b' }), ['handler: Invalid']],
  ])('%s', (_what, kind, before, after, faults) => {
    expect(updated(kind, kind.update, before, after).faults).toEqual(faults);
  });

  it('the status of an ingress', () => {
    const before = ingress({ defaultBackend: backend });
    const status = { loadBalancer: { ingress: [{ ip: 'x', hostname: '10.0.0.1' }, { hostname: 'a.example.com' }] } };
    const { object, faults } = updated(ingresses, ingresses.status, before, { metadata, status });
    expect(object.spec).toEqual(before.spec);
    expect(faults).toEqual([
      'status.loadBalancer.ingress[0].ip: Invalid',
      'status.loadBalancer.ingress[0].hostname: Invalid',
    ]);
  });
});

describe('what is filled in', () => {
  it.each<[string, object, string[]]>([
    ['no rules', {}, ['Ingress']],
    ['rules for what it reaches', { egress: [{}] }, ['Ingress', 'Egress']],
    ['its own word', { egress: [{}], policyTypes: ['Egress'] }, ['Egress']],
  ])('of a policy with %s', (_what, spec, policyTypes) => {
    expect(created(networkPolicies, policy(spec)).spec?.policyTypes).toEqual(policyTypes);
  });

  it('of a policy that says nothing: it is for every pod', () => {
    expect(created(networkPolicies, { metadata }).spec).toEqual({ podSelector: {}, policyTypes: ['Ingress'] });
  });

  it('of ports and of parameters', () => {
    expect(created(networkPolicies, ports({ port: 1 })).spec?.egress?.[0]?.ports).toEqual([
      { port: 1, protocol: 'TCP' },
    ]);
    expect(created(ingressClasses, ingressClass({ parameters })).spec?.parameters?.scope).toBe('Cluster');
  });
});

describe('what is shown of', () => {
  const hosts = ['a.b', 'c.d', 'e.f', 'g.h'].map((host) => ({ host }));
  it.each<[string, Kind, object, unknown[]]>([
    ['a policy', networkPolicies, policy({}), ['a', '<none>', '<unknown>']],
    [
      'a policy for some',
      networkPolicies,
      policy({ podSelector: { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'c', operator: 'Exists' }] } }),
      ['a', 'a=b,c', '<unknown>'],
    ],
    ['an ingress', ingresses, ingress({}), ['a', '<none>', '*', '', '80', '<unknown>']],
    [
      'an ingress for many',
      ingresses,
      ingress({ rules: hosts, tls: [{}], ingressClassName: 'c' }),
      ['a', 'c', 'a.b,c.d,e.f + 1 more...', '', '80, 443', '<unknown>'],
    ],
    ['a class', ingressClasses, ingressClass(), ['a', 'example.com/c', '<none>', '<unknown>']],
    [
      'the default class',
      ingressClasses,
      {
        metadata: { name: 'a', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
        spec: { controller: 'c', parameters: { ...parameters, apiGroup: 'g' } },
      },
      ['a (default)', 'c', 'K.g/n', '<unknown>'],
    ],
    [
      'an address',
      ipAddresses,
      address({ resource: 'services', namespace: 'default', name: 'web' }),
      ['10.0.0.1', 'services/default/web'],
    ],
    ['ranges', serviceCIDRs, range('10.0.0.0/16', 'fd00::/112'), ['r', '10.0.0.0/16,fd00::/112', '<unknown>']],
    ['a runtime class', runtimeClasses, runtime(), ['r', 'runsc', '<unknown>']],
  ])('%s', (_what, kind, json, cells) => {
    expect((tableRow(kind, created(kind, json), 0, 'None') as { cells: unknown[] }).cells).toEqual(cells);
  });
});
