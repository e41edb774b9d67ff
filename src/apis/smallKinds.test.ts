/** Kinds whose rules fit on a page. */
import { describe, expect, it } from 'vitest';
import type { Kind } from '../machinery/kind.ts';
import { tableRow } from '../machinery/table.ts';
import { tokenRequests } from './authentication/tokenRequest.ts';
import { tokenReviews } from './authentication/tokenReview.ts';
import { localSubjectAccessReviews } from './authorization/localSubjectAccessReview.ts';
import { selfSubjectAccessReviews } from './authorization/selfSubjectAccessReview.ts';
import { subjectAccessReviews } from './authorization/subjectAccessReview.ts';
import { leases } from './coordination/lease.ts';
import { bindings } from './core/binding.ts';
import { endpoints } from './core/endpoints.ts';
import { limitRanges } from './core/limitRange.ts';
import { resourceQuotas } from './core/resourceQuota.ts';
import { endpointSlices } from './discovery/endpointSlice.ts';
import { priorityClasses } from './scheduling/priorityClass.ts';
import { created, createFaults, updated } from './testing/create.ts';

const metadata = { name: 'a', namespace: 'default' };
const resourceAttributes = { namespace: 'default', verb: 'get', resource: 'pods' };
const slice = (more: object) => ({ metadata, addressType: 'IPv4', ...more });
const subset = (more: object) => ({
  metadata,
  subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }], ...more }],
});

const TABLE: [string, Kind, object, string[]][] = [
  [
    'a quota',
    resourceQuotas,
    {
      metadata,
      spec: {
        hard: {
          pods: '10',
          'requests.cpu': '500m',
          'limits.memory': '1Gi',
          'requests.storage': '1Gi',
          'gold.storageclass.storage.k8s.io/requests.storage': '1Gi',
          'count/deployments.apps': '3',
          'requests.example.com/gpu': '1',
          'hugepages-2Mi': '4Mi',
        },
      },
    },
    [],
  ],
  [
    'a quota of parts, of less than nothing, and of what nobody knows',
    resourceQuotas,
    {
      metadata,
      spec: { hard: { pods: '500m', 'count/jobs.batch': '0.5', services: '-1', gold: '1', 'requests.pods': '1' } },
    },
    [
      'spec.hard[pods]: Invalid',
      'spec.hard[count/jobs.batch]: Invalid',
      'spec.hard[services]: Invalid',
      'spec.hard[gold]: Invalid',
      'spec.hard[requests.pods]: Invalid',
    ],
  ],
  [
    'a range of volumes without an end',
    limitRanges,
    { metadata, spec: { limits: [{ type: 'PersistentVolumeClaim' }] } },
    ['spec.limits[0].limits: Required'],
  ],
  [
    'a range of volumes',
    limitRanges,
    { metadata, spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } }] } },
    [],
  ],
  [
    'a range of what containers do not have',
    limitRanges,
    { metadata, spec: { limits: [{ type: 'Pod', max: { storage: '1Gi', 'example.com/gpu': '1' } }] } },
    ['spec.limits[0][storage]: Invalid'],
  ],
  ['a lease', leases, { metadata, spec: { holderIdentity: 'a', leaseDurationSeconds: 40 } }, []],
  [
    'a lease for no time',
    leases,
    { metadata, spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } },
    ['spec.leaseDurationSeconds: Invalid', 'spec.leaseTransitions: Invalid'],
  ],
  [
    'a lease for somebody, anyhow',
    leases,
    { metadata, spec: { preferredHolder: 'b' } },
    ['spec.preferredHolder: Forbidden'],
  ],
  ['a class', priorityClasses, { metadata, value: 1000 }, []],
  ['a class above all', priorityClasses, { metadata, value: 1_000_000_001 }, ['value: Forbidden']],
  ['a class of the system', priorityClasses, { metadata: { name: 'system-node-critical' }, value: 2_000_001_000 }, []],
  [
    'a class as if of the system',
    priorityClasses,
    { metadata: { name: 'system-mine' }, value: 1 },
    ['metadata.name: Forbidden'],
  ],
  ['a class of odd policy', priorityClasses, { metadata, preemptionPolicy: 'x' }, ['preemptionPolicy: NotSupported']],
  ['a slice', endpointSlices, slice({ endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] }), []],
  ['a slice of no sort', endpointSlices, slice({ addressType: undefined }), ['addressType: Required']],
  [
    'a slice of other addresses',
    endpointSlices,
    slice({ endpoints: [{ addresses: ['fd00::1', '127.0.0.1'] }, {}] }),
    ['endpoints[0].addresses[0]: Invalid', 'endpoints[0].addresses[1]: Invalid', 'endpoints[1].addresses: Required'],
  ],
  [
    'a slice of too many',
    endpointSlices,
    slice({ endpoints: new Array(1001).fill({ addresses: ['10.0.0.1'] }) }),
    ['endpoints: TooMany'],
  ],
  [
    'a slice with ports of one name',
    endpointSlices,
    slice({ ports: [{ port: 1 }, { port: 2 }] }),
    ['ports[1].name: Duplicate'],
  ],
  ['endpoints', endpoints, subset({}), []],
  ['endpoints of nobody', endpoints, subset({ addresses: [] }), ['subsets[0]: Required']],
  ['endpoints here', endpoints, subset({ addresses: [{ ip: '127.0.0.1' }] }), ['subsets[0].addresses[0].ip: Invalid']],
  [
    'endpoints with nameless ports',
    endpoints,
    subset({ ports: [{ port: 1, name: 'a' }, { port: 2 }] }),
    ['subsets[0].ports[1].name: Required'],
  ],
  ['a binding', bindings, { metadata, target: { kind: 'Node', name: 'n' } }, []],
  [
    'a binding to nothing',
    bindings,
    { metadata, target: { kind: 'Pod' } },
    ['target.kind: NotSupported', 'target.name: Required'],
  ],
  ['a token', tokenRequests, { spec: { audiences: ['a'] } }, []],
  ['a token for a moment', tokenRequests, { spec: { expirationSeconds: 1 } }, ['spec.expirationSeconds: Invalid']],
  ['a review of no token', tokenReviews, { spec: {} }, ['spec.token: Required']],
  ['a question about oneself', selfSubjectAccessReviews, { spec: { resourceAttributes } }, []],
  ['a question about nothing', selfSubjectAccessReviews, { spec: {} }, ['spec.resourceAttributes: Invalid']],
  ['a question about nobody', subjectAccessReviews, { spec: { resourceAttributes } }, ['spec.user: Invalid']],
  [
    'a question about both',
    subjectAccessReviews,
    { spec: { user: 'u', resourceAttributes, nonResourceAttributes: { path: '/' } } },
    ['spec.nonResourceAttributes: Invalid'],
  ],
  ['a question here', localSubjectAccessReviews, { metadata, spec: { user: 'u', resourceAttributes } }, []],
  [
    'a question from elsewhere',
    localSubjectAccessReviews,
    { metadata: { namespace: 'b' }, spec: { user: 'u', resourceAttributes } },
    ['spec.resourceAttributes.namespace: Invalid'],
  ],
];

describe('what is wrong with', () => {
  it.each(TABLE)('%s', (_what, kind, json, expected) => {
    expect(createFaults(kind, json)).toEqual(expected);
  });
});

describe('what never changes', () => {
  it('the value of a priority class', () => {
    expect(
      updated(priorityClasses, priorityClasses.update, { metadata, value: 1 }, { metadata, value: 2 }).faults,
    ).toEqual(['value: Forbidden']);
  });

  it('the sort of addresses in a slice', () => {
    const change = slice({ addressType: 'IPv6' });
    expect(updated(endpointSlices, endpointSlices.update, slice({}), change).faults).toEqual(['addressType: Invalid']);
  });
});

describe('what is shown of', () => {
  const cells = (kind: Kind, json: object) =>
    (tableRow(kind, created(kind, json), 0, 'None') as { cells: unknown[] }).cells;

  it('a lease', () => {
    expect(cells(leases, { metadata, spec: { holderIdentity: 'me' } })).toEqual(['a', 'me', '<unknown>']);
  });

  it('a priority class', () => {
    expect(cells(priorityClasses, { metadata, value: 7 })).toEqual([
      'a',
      7,
      false,
      '<unknown>',
      'PreemptLowerPriority',
    ]);
  });

  it('a slice', () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
    const json = slice({
      endpoints: addresses.map((a) => ({ addresses: [a] })),
      ports: [{ port: 80 }, { name: 'any' }],
    });
    expect(cells(endpointSlices, json)).toEqual([
      'a',
      'IPv4',
      '80,*',
      '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
      '<unknown>',
    ]);
    expect(cells(endpointSlices, slice({}))).toEqual(['a', 'IPv4', '<unset>', '<unset>', '<unknown>']);
  });

  it('endpoints', () => {
    expect(cells(endpoints, subset({}))).toEqual(['a', '10.0.0.1:80', '<unknown>']);
    expect(cells(endpoints, { metadata })).toEqual(['a', '<none>', '<unknown>']);
  });
});
