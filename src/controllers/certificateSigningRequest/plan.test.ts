import { describe, expect, it } from 'vitest';
import type { CertificateSigningRequest } from '../../apis/certificates/certificateSigningRequest.ts';
import type { CertificateRequest } from '../../apis/certificates/pkcs10.ts';
import type { Stored } from '../../machinery/kind.ts';
import { expiresAt, lifetime } from './plan.ts';
import { signerOf } from './signers.ts';

const NONE = { dns: 0, ip: 0, email: 0, uri: 0 };
const kubelet = (more: Partial<CertificateRequest> = {}): CertificateRequest => ({
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  alternativeNames: NONE,
  signed: true,
  ...more,
});
const names = (more: Partial<typeof NONE>) => kubelet({ alternativeNames: { ...NONE, ...more } });
const CLIENT = ['client auth', 'digital signature', 'key encipherment'];
const SERVER = ['server auth', 'digital signature', 'key encipherment'];

describe('signers', () => {
  it.each<[string, CertificateRequest, string[], string | undefined]>([
    ['kube-apiserver-client', kubelet({ organizations: ['any'] }), ['client auth'], undefined],
    ['kube-apiserver-client', names({ dns: 1 }), CLIENT, undefined],
    [
      'kube-apiserver-client',
      kubelet(),
      ['digital signature'],
      'missing required usage for client certificate: client auth',
    ],
    [
      'kube-apiserver-client',
      kubelet(),
      ['client auth', 'server auth'],
      'invalid usage for client certificate: server auth',
    ],
    ['kube-apiserver-client-kubelet', kubelet(), CLIENT, undefined],
    ['kube-apiserver-client-kubelet', kubelet(), ['client auth', 'digital signature'], undefined],
    [
      'kube-apiserver-client-kubelet',
      kubelet({ organizations: ['a', 'system:nodes'] }),
      CLIENT,
      'subject organization is not system:nodes',
    ],
    [
      'kube-apiserver-client-kubelet',
      kubelet({ commonName: 'n1' }),
      CLIENT,
      'subject common name does not begin with system:node:',
    ],
    ['kube-apiserver-client-kubelet', names({ ip: 1 }), CLIENT, 'IP subjectAltNames are not allowed'],
    ['kube-apiserver-client-kubelet', kubelet(), SERVER, expect.stringMatching(/^usages did not match/)],
    ['kubelet-serving', names({ dns: 1 }), SERVER, undefined],
    ['kubelet-serving', names({ ip: 2 }), ['server auth', 'digital signature'], undefined],
    ['kubelet-serving', kubelet(), SERVER, 'DNS or IP subjectAltName is required'],
    ['kubelet-serving', names({ dns: 1, uri: 1 }), SERVER, 'URI subjectAltNames are not allowed'],
    ['legacy-unknown', kubelet({ commonName: '' }), ['code signing'], undefined],
  ])('%s', (signer, request, usages, fault) => {
    expect(signerOf(`kubernetes.io/${signer}`)?.(request, usages)).toEqual(fault);
  });

  it('of others are left to others', () => {
    expect(signerOf('example.com/mine')).toBeUndefined();
  });

  it.each([
    [undefined, 31_536_000],
    [60, 600],
    [3600, 3600],
    [10 ** 9, 31_536_000],
  ])('give %s seconds: %i', (asked, given) => {
    expect(lifetime(asked)).toBe(given);
  });
});

describe('requests are kept', () => {
  const at = (hours: number) => new Date(Date.UTC(2026, 0, 1) + hours * 3_600_000).toISOString();
  const csr = (type?: string, certificate?: string) =>
    ({
      metadata: { name: 'r', uid: 'r', resourceVersion: '1', creationTimestamp: at(0) },
      status: {
        ...(type === undefined ? {} : { conditions: [{ type, status: 'True', lastUpdateTime: at(2) }] }),
        ...(certificate === undefined ? {} : { certificate }),
      },
    }) as Stored<CertificateSigningRequest>;
  it.each([
    ['a day, undecided', csr(), 24],
    ['an hour, denied', csr('Denied'), 3],
    ['an hour, failed', csr('Failed'), 3],
    ['an hour, issued', csr('Approved', 'bm90IGEgY2VydGlmaWNhdGU='), 3],
    ['a day, approved and not issued', csr('Approved'), 24],
  ])('%s', (_what, request, hours) => {
    expect(expiresAt(request)).toBe(Date.parse(at(hours)));
  });
});
