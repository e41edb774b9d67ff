import 'reflect-metadata';
import * as x from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type CertificateSigningRequest,
  certificateSigningRequests as csrs,
} from '../../apis/certificates/certificateSigningRequest.ts';
import { clusterRoles } from '../../apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../../apis/rbac/clusterRoleBinding.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/createClient.ts';
import type { Stored } from '../../machinery/kind.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

let server: TestServer;
const as = (name: string, ...groups: string[]): Client => createClient(server.api.transport({ name, groups }));

beforeAll(async () => {
  server = await startTestServer();
  const rule = (verbs: string[], resources: string[], resourceNames?: string[]) => ({
    verbs,
    apiGroups: ['certificates.k8s.io'],
    resources,
    ...(resourceNames === undefined ? {} : { resourceNames }),
  });
  const all = [
    'certificatesigningrequests',
    'certificatesigningrequests/approval',
    'certificatesigningrequests/status',
  ];
  const everyone = rule(['create', 'get', 'update', 'patch'], all);
  await server.client.create(clusterRoles, { metadata: { name: 'everyone' }, rules: [everyone] });
  await server.client.create(clusterRoles, {
    metadata: { name: 'signer' },
    rules: [rule(['approve', 'sign'], ['signers'], ['example.com/*'])],
  });
  const bind = (name: string, kind: string, subject: string) =>
    server.client.create(clusterRoleBindings, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind, name: subject }],
    });
  await bind('everyone', 'Group', 'system:authenticated');
  await bind('signer', 'User', 'signer');
});
afterAll(() => server.stop());

async function request(subject: string, keys?: KeyPair, algorithm = EC): Promise<string> {
  const pair = keys ?? (await newKeys());
  const made = await x.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: pair,
    signingAlgorithm: algorithm,
  });
  return Buffer.from(made.toString('pem')).toString('base64');
}
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const newKeys = () => crypto.subtle.generateKey(EC, true, ['sign', 'verify']);
type KeyPair = Awaited<ReturnType<typeof newKeys>>;

let count = 0;
const csr = (text: string, more: Partial<CertificateSigningRequest['spec']> = {}): CertificateSigningRequest => ({
  metadata: { name: `csr-${++count}` },
  spec: { request: text, signerName: 'example.com/anything', usages: ['client auth'], ...more },
});
const condition = (type: string) => ({ type, status: 'True', reason: 'Test', message: '' });
const withConditions = (of: Stored<CertificateSigningRequest>, ...types: string[]) => ({
  ...of,
  status: { ...of.status, conditions: types.map(condition) },
});

describe('a certificate signing request', () => {
  test('says who asks, whatever it says itself', async () => {
    const text = await request('CN=anna');
    const made = await as('anna', 'devs').create(csrs, csr(text, { username: 'admin', groups: ['system:masters'] }));
    expect(made.spec).toMatchObject({ username: 'anna', groups: ['devs', 'system:authenticated'] });
    expect(made.status).toEqual({});
    const changed = await as('anna').update(csrs, { ...made, spec: { ...made.spec, signerName: 'example.com/other' } });
    expect(changed.spec.signerName).toBe('example.com/anything');
  });

  test.each<[string, Partial<CertificateSigningRequest['spec']>, string]>([
    ['without usages', { usages: [] }, 'spec.usages: Required value'],
    ['an unknown usage', { usages: ['anything'] }, 'spec.usages[0]: Unsupported value'],
    ['a usage twice', { usages: ['any', 'any'] }, 'spec.usages[1]: Duplicate value'],
    ['a bad signer', { signerName: 'nobody' }, 'spec.signerName: Invalid value'],
    ['the legacy signer', { signerName: 'kubernetes.io/legacy-unknown' }, 'the legacy signerName is not allowed'],
    ['too short a time', { expirationSeconds: 599 }, 'may not specify a duration less than 600 seconds'],
    ['nonsense', { request: Buffer.from('hello').toString('base64') }, 'PEM block type must be CERTIFICATE REQUEST'],
    [
      'malformed DER',
      {
        request: Buffer.from('-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n').toString(
          'base64',
        ),
      },
      'asn1: structure error',
    ],
  ])('is refused %s', async (_what, spec, message) => {
    await expect(as('anna').create(csrs, csr(await request('CN=anna'), spec))).rejects.toThrow(message);
  });

  test('must be signed with its key', async () => {
    const text = Buffer.from(await request('CN=anna'), 'base64').toString();
    const der = Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    // The subject is changed after it was signed.
    const changed = Buffer.from(der.toString('latin1').replace('anna', 'root'), 'latin1').toString('base64');
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed}\n-----END CERTIFICATE REQUEST-----\n`;
    const spec = csr(Buffer.from(pem).toString('base64'));
    await expect(as('anna').create(csrs, spec)).rejects.toThrow('the signature of the request is wrong');
  });

  test('never makes an administrator', async () => {
    const text = await request('CN=anna, O=system:masters');
    const signerName = 'kubernetes.io/kube-apiserver-client';
    await expect(as('anna').create(csrs, csr(text, { signerName }))).rejects.toThrow(
      'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    );
    await as('anna').create(csrs, csr(await request('CN=anna, O=devs'), { signerName }));
  });

  test('is approved by whoever may, and for good', async () => {
    const made = await as('anna').create(csrs, csr(await request('CN=anna')));
    const approved = withConditions(made, 'Approved');
    await expect(as('anna').update(csrs, approved, { subresource: 'approval' })).rejects.toThrow(
      'user not permitted to approve requests with signerName "example.com/anything"',
    );
    const signer = as('signer');
    await expect(signer.update(csrs, approved, { subresource: 'status' })).rejects.toThrow(
      'updates may not add a condition of type "Approved"',
    );
    const now = await signer.update(csrs, approved, { subresource: 'approval' });
    expect(now.status?.conditions?.[0]).toMatchObject({
      lastUpdateTime: expect.any(String),
      lastTransitionTime: expect.any(String),
    });
    await expect(signer.update(csrs, withConditions(now), { subresource: 'approval' })).rejects.toThrow(
      'may not remove',
    );
    await expect(
      signer.update(csrs, withConditions(now, 'Approved', 'Denied'), { subresource: 'approval' }),
    ).rejects.toThrow('Approved and Denied conditions are mutually exclusive');
  });

  test('is signed by whoever may, once', async () => {
    const made = await as('anna').create(csrs, csr(await request('CN=anna')));
    const certificate = Buffer.from(server.ca.pem).toString('base64');
    const signed = { ...made, status: { ...made.status, certificate } };
    await expect(as('anna').update(csrs, signed, { subresource: 'status' })).rejects.toThrow('not permitted to sign');
    const signer = as('signer');
    const broken = { ...made, status: { certificate: Buffer.from('x').toString('base64') } };
    await expect(signer.update(csrs, broken, { subresource: 'status' })).rejects.toThrow(
      'status.certificate: Invalid value',
    );
    await expect(signer.update(csrs, signed, { subresource: 'approval' })).resolves.toMatchObject({ status: {} });
    const done = await signer.update(
      csrs,
      { ...signed, metadata: { name: made.metadata.name } },
      { subresource: 'status' },
    );
    expect(done.status?.certificate).toBe(certificate);
    const again = { ...done, status: { certificate: Buffer.from(`${server.ca.pem}\n`).toString('base64') } };
    await expect(signer.update(csrs, again, { subresource: 'status' })).rejects.toThrow(
      'may not modify existing certificate',
    );
  });

  test('with another kind of key', async () => {
    const rsa = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength: 2048,
    };
    const keys = (await crypto.subtle.generateKey(rsa, true, ['sign', 'verify'])) as KeyPair;
    await as('anna').create(csrs, csr(await request('CN=anna', keys, rsa as never)));
  });

  test('is shown with what was decided', async () => {
    const { port } = await server.api.listen({ host: '127.0.0.1', port: 0 });
    const table = await http(server, port, '/apis/certificates.k8s.io/v1/certificatesigningrequests', {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.json.columnDefinitions.map((c: { name: string }) => c.name)).toEqual([
      'Name',
      'Age',
      'SignerName',
      'Requestor',
      'RequestedDuration',
      'Condition',
    ]);
    const cells = table.json.rows.map((row: { cells: unknown[] }) => row.cells.at(-1));
    expect(cells).toEqual(expect.arrayContaining(['Pending', 'Approved', 'Pending,Issued']));
  });
});
