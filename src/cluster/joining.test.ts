import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateSigningRequest } from '../apis/certificates/certificateSigningRequest.ts';
import type { Node } from '../apis/core/node.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { type ClusterCertificates, ensureCertificates } from './certificates.ts';
import { discover, serverUrl } from './discovery.ts';
import { serverKubeconfig } from './kubeconfig.ts';
import { hashOfCA } from './membership.ts';
import { servingFault } from './servingApproval.ts';

describe('the address of a server', () => {
  it.each([
    ['192.0.2.2', 'https://192.0.2.2:6443'],
    ['192.0.2.2:7000', 'https://192.0.2.2:7000'],
    ['https://api.example.com:443', 'https://api.example.com:443'],
    ['https://192.0.2.2:6443/', 'https://192.0.2.2:6443'],
    ['[fd00::2]:6443', 'https://[fd00::2]:6443'],
  ])('%s', (text, url) => expect(serverUrl(text)).toBe(url));

  it.each(['http://192.0.2.2', 'https://a/b', 'a b', '', 'https://'])('is not %j', (text) => {
    expect(() => serverUrl(text)).toThrow('is no API server');
  });
});

describe('who is invited', () => {
  const SECRET = '0123456789abcdef';
  const NETWORK = { clusterCIDR: '10.244.0.0/16', vni: 7 };
  const clock = new SystemClock();
  const dir = mkdtempSync(join(tmpdir(), 'kubets-joining-'));
  let certificates: ClusterCertificates;
  let server: Server;
  let url: string;
  let info: Record<string, string>;

  beforeAll(async () => {
    const names = { nodeName: 'a', nodeIP: '127.0.0.1', serviceIP: '10.96.0.1' };
    certificates = await ensureCertificates({ dir, clock, log: silentLogger, ...names });
    server = createServer(certificates.apiserver, (req, res) => {
      const data = req.url?.includes('cluster-info') ? info : { network: JSON.stringify(NETWORK) };
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The description of a cluster, signed as the bootstrap signer does. */
  function described(ca: string, alg = 'HS256'): Record<string, string> {
    const kubeconfig = serverKubeconfig(url, ca);
    const header = Buffer.from(JSON.stringify({ alg, kid: 'abcdef' })).toString('base64url');
    const text = `${header}.${Buffer.from(kubeconfig).toString('base64url')}`;
    const mac = createHmac('sha256', SECRET).update(text).digest('base64url');
    return { kubeconfig, 'jws-kubeconfig-abcdef': `${header}..${mac}` };
  }
  const asked = (token: string, caHash: string) => discover({ server: url, token, caHash }, clock);

  it('finds the cluster', async () => {
    info = described(certificates.ca.cert);
    const found = await asked(`abcdef.${SECRET}`, hashOfCA(certificates.ca.cert));
    expect(found).toEqual({ ca: certificates.ca.cert, network: NETWORK, localAddress: '127.0.0.1' });
  });

  it('is told why not', async () => {
    const hash = hashOfCA(certificates.ca.cert);
    info = described(certificates.ca.cert);
    await expect(asked('abcdef', hash)).rejects.toThrow('the token cannot be used');
    await expect(asked(`abcdef.${SECRET}`, 'sha256:1')).rejects.toThrow('--ca-hash cannot be used');
    await expect(asked(`bbbbbb.${SECRET}`, hash)).rejects.toThrow('does not know the token bbbbbb');
    await expect(asked('abcdef.0000000000000000', hash)).rejects.toThrow('is not signed with this token');
    info = { ...info, kubeconfig: `${info.kubeconfig}\n` };
    await expect(asked(`abcdef.${SECRET}`, hash)).rejects.toThrow('is not signed with this token');
    info = described(certificates.ca.cert, 'none');
    await expect(asked(`abcdef.${SECRET}`, hash)).rejects.toThrow('is not signed with this token');
    info = { 'jws-kubeconfig-abcdef': '..' };
    await expect(asked(`abcdef.${SECRET}`, hash)).rejects.toThrow('is not signed with this token');
    await expect(
      discover({ server: 'https://127.0.0.1:1', token: `abcdef.${SECRET}`, caHash: hash }, clock),
    ).rejects.toThrow('cannot be asked which cluster it is');
  });

  it('is not led to another cluster by who knows the token', async () => {
    const other = await ensureCertificates({
      dir: join(dir, 'other'),
      clock,
      log: silentLogger,
      nodeName: 'b',
      nodeIP: '127.0.0.1',
      serviceIP: '10.96.0.1',
    });
    info = described(other.ca.cert);
    await expect(asked(`abcdef.${SECRET}`, hashOfCA(certificates.ca.cert))).rejects.toThrow('is another one');
    // The CA is the right one, but the server is not of it.
    await expect(asked(`abcdef.${SECRET}`, hashOfCA(other.ca.cert))).rejects.toThrow('cannot be believed');
  });
});

describe("a kubelet's server", () => {
  const request = (username: string, groups = ['system:nodes']): CertificateSigningRequest => ({
    spec: { request: '', signerName: 'kubernetes.io/kubelet-serving', username, groups },
  });
  const NODES: Node[] = [
    { metadata: { name: 'a' }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] } },
    { metadata: { name: 'b' }, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.2' }] } },
  ];
  const RESERVED = ['kubernetes', '192.0.2.1', '10.96.0.1'];

  it.each<[string, CertificateSigningRequest, string[], string | undefined]>([
    ['its own', request('system:node:b'), ['b', '192.0.2.2'], undefined],
    ['its own, before it is registered', request('system:node:c'), ['c', '192.0.2.3'], undefined],
    ["another node's", request('system:node:c'), ['c', '192.0.2.2'], '192.0.2.2 is not the name or address of node c'],
    ["the API server's", request('system:node:b'), ['10.96.0.1'], '10.96.0.1 is not the name or address of node b'],
    ["another's name", request('system:node:b'), ['x'], 'x is not the name or address of node b'],
    ['the name of the API server', request('system:node:kubernetes'), ['kubernetes'], 'kubernetes is not the name'],
    ['a name of its own, but it is no node', request('jane', ['users']), ['b'], 'it is no node that asks'],
  ])('may show %s', (_what, csr, names, fault) => {
    const found = servingFault(csr, names, NODES, RESERVED);
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(fault);
  });
});
