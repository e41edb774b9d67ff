import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type CertificateSigningRequest,
  type CertificateSigningRequestSpec,
  certificateSigningRequests,
} from '../../src/apis/certificates/certificateSigningRequest.ts';
import { clusterRoleBindings } from '../../src/apis/rbac/clusterRoleBinding.ts';
import type { Stored } from '../../src/machinery/kind.ts';
import { Simulation } from './simulation.ts';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NODE = 'system:node:n1';
const KUBELET_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start({ nodes: 0 });
});
afterEach(() => world.stop());

/** PKCS #10 as a kubelet makes it. */
async function requestFor(subject: string, dns: readonly string[] = []): Promise<string> {
  await import('reflect-metadata');
  const x = await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const names = dns.map((value) => ({ type: 'dns' as const, value }));
  const request = await x.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: CURVE,
    extensions: names.length === 0 ? [] : [new x.SubjectAlternativeNameExtension(names)],
  });
  return Buffer.from(request.toString('pem')).toString('base64');
}

async function ask(name: string, spec: CertificateSigningRequestSpec, user = 'admin'): Promise<void> {
  const client =
    user === 'admin' ? world.cluster.client : world.cluster.clientAs(user, ['system:nodes', 'system:authenticated']);
  await client.create(certificateSigningRequests, { metadata: { name }, spec });
  await world.advance('1s');
}
const get = (name: string) => world.cluster.client.get(certificateSigningRequests, { name });
async function approve(name: string): Promise<Stored<CertificateSigningRequest>> {
  const csr = await get(name);
  const conditions = [{ type: 'Approved', status: 'True', reason: 'KubectlApprove', message: 'yes' }];
  await world.cluster.client.update(
    certificateSigningRequests,
    { ...csr, status: { ...csr.status, conditions } },
    { subresource: 'approval' },
  );
  await world.advance('1s');
  return get(name);
}
/** To sign takes the machine its time, not the cluster. */
function issued(name: string): Promise<X509Certificate> {
  return vi.waitFor(async () => {
    await world.advance('1ms');
    const { certificate } = (await get(name)).status ?? {};
    expect(certificate).toBeDefined();
    return new X509Certificate(Buffer.from(certificate ?? '', 'base64'));
  }, 5_000);
}

const userSpec = async (more: Partial<CertificateSigningRequestSpec> = {}): Promise<CertificateSigningRequestSpec> => ({
  request: await requestFor('CN=jane,O=dev'),
  signerName: 'kubernetes.io/kube-apiserver-client',
  usages: ['client auth'],
  ...more,
});

describe('certificates', () => {
  it('are issued once a person approves, for as long as was asked', async () => {
    await ask('jane', await userSpec({ expirationSeconds: 3600 }));
    expect((await get('jane')).status).toEqual({});
    await approve('jane');
    const cert = await issued('jane');
    expect(cert.subject).toBe('CN=jane\nO=dev');
    expect(cert.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(cert.ca).toBe(false);
    const lifeMs = cert.validToDate.getTime() - cert.validFromDate.getTime();
    // They begin five minutes before, for clocks that are behind.
    expect(lifeMs).toBe(3600_000 + 300_000);
    await world.advance('2h');
    await expect(get('jane')).rejects.toMatchObject({ status: { reason: 'NotFound' } });
  });

  it('are refused where the signer does not sign such', async () => {
    await ask('wrong', await userSpec({ usages: ['server auth'] }));
    const { status } = await approve('wrong');
    expect(status?.certificate).toBeUndefined();
    expect(status?.conditions).toMatchObject([
      { type: 'Approved' },
      {
        type: 'Failed',
        reason: 'SignerValidationFailure',
        message: 'invalid usage for client certificate: server auth',
      },
    ]);
  });

  it('of other signers are left alone, and forgotten after a day', async () => {
    await ask('other', await userSpec({ signerName: 'example.com/mine' }));
    expect((await approve('other')).status?.certificate).toBeUndefined();
    await world.advance('25h');
    await expect(get('other')).rejects.toMatchObject({ status: { reason: 'NotFound' } });
  });

  it('of kubelets are given to kubelets that have the right to them', async () => {
    const spec: CertificateSigningRequestSpec = {
      request: await requestFor(`O=system:nodes,CN=${NODE}`),
      signerName: KUBELET_CLIENT,
      usages: ['digital signature', 'client auth'],
    };
    await ask('n1', spec, NODE);
    expect((await get('n1')).status?.conditions).toBeUndefined();
    const role = 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient';
    await world.cluster.client.create(clusterRoleBindings, {
      metadata: { name: 'renew' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:nodes' }],
    });
    await world.advance('2m');
    const csr = await get('n1');
    expect(csr.status?.conditions).toMatchObject([
      { type: 'Approved', reason: 'AutoApproved', message: expect.stringMatching(/^Auto approving self kubelet/) },
    ]);
    expect((await issued('n1')).subject).toBe(`O=system:nodes\nCN=${NODE}`);
    // Not so a certificate under another's name.
    await ask('n2', { ...spec, request: await requestFor('O=system:nodes,CN=system:node:n2') }, NODE);
    await world.advance('2m');
    expect((await get('n2')).status?.conditions).toBeUndefined();
  });

  it('of servers carry the names that were asked for', async () => {
    const request = await requestFor(`O=system:nodes,CN=${NODE}`, ['n1', 'n1.example.com']);
    const usages = ['server auth', 'digital signature', 'key encipherment'];
    await ask('serving', { request, signerName: 'kubernetes.io/kubelet-serving', usages }, NODE);
    await approve('serving');
    expect((await issued('serving')).subjectAltName).toBe('DNS:n1, DNS:n1.example.com');
  });
});
