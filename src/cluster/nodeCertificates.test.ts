import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CertificateSigningRequest } from '../apis/certificates/certificateSigningRequest.ts';
import type { Client } from '../client/client.ts';
import { SystemClock, VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { SeededRandom } from '../lib/random.ts';
import { apiError } from '../machinery/status.ts';
import { certificateAuthority } from './certificateAuthority.ts';
import { type ClusterCertificates, ensureCertificates } from './certificates.ts';
import { becomeNode, keepIdentity, NodeCertificate } from './nodeCertificates.ts';

const HOUR = 3_600_000;
const NAMES = { nodeName: 'b', nodeIP: '192.0.2.2' };
const clock = new VirtualClock();
const machine = new SystemClock();
const dir = mkdtempSync(join(tmpdir(), 'kubets-node-certificates-'));
let certificates: ClusterCertificates;

beforeAll(async () => {
  const names = { nodeName: 'a', nodeIP: '192.0.2.1', serviceIP: '10.96.0.1' };
  certificates = await ensureCertificates({ dir: join(dir, 'ca'), clock, log: silentLogger, ...names });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** An API server that has only requests for certificates, and signs them, or says why not. */
function apiServer(answer: 'signs' | 'denies' | 'is silent', nodes: object[] = []) {
  const requests: CertificateSigningRequest[] = [];
  const ca = certificateAuthority(certificates.ca, clock);
  const client = {
    async create(_kind: unknown, object: CertificateSigningRequest) {
      const { request = '', usages = [] } = object.spec ?? {};
      const order = { request: Buffer.from(request, 'base64').toString(), usages, lifetimeSeconds: (24 * HOUR) / 1000 };
      const signed = answer === 'signs' ? Buffer.from(await ca.sign(order)).toString('base64') : undefined;
      const conditions = answer === 'denies' ? [{ type: 'Denied', status: 'True', message: 'not you' }] : [];
      const made = {
        ...object,
        metadata: { name: String(requests.length) },
        status: { conditions, certificate: signed },
      };
      requests.push(made as CertificateSigningRequest);
      return made;
    },
    async get(kind: { plural: string }, { name }: { name: string }) {
      const found = kind.plural === 'nodes' ? nodes[0] : requests[Number(name)];
      if (found === undefined) throw apiError('NotFound', 'there is none');
      return found;
    },
  };
  return { requests, client: client as unknown as Client };
}

describe('a node', () => {
  it('gets a certificate in its own name, and one for its server with its names', async () => {
    const { client, requests } = apiServer('signs');
    const pki = join(dir, 'b');
    await keepIdentity(pki, certificates.ca.cert, await becomeNode(NAMES, client, clock));
    const identity = await NodeCertificate.client(pki, NAMES, clock);
    expect(new X509Certificate(identity.pair.cert).subject).toBe('O=system:nodes\nCN=system:node:b');
    const serving = await NodeCertificate.serving(pki, NAMES, client, clock);
    const shown = new X509Certificate(serving.pair.cert);
    expect(shown.subjectAltName).toBe('DNS:b, IP Address:192.0.2.2');
    expect(shown.checkIssued(new X509Certificate(certificates.ca.cert))).toBe(true);
    expect(requests.map(({ spec }) => spec?.usages)).toEqual([
      ['digital signature', 'client auth'],
      ['digital signature', 'server auth'],
    ]);
    // A later start finds them; a node with another address needs another one.
    await NodeCertificate.serving(pki, NAMES, client, clock);
    expect(requests).toHaveLength(2);
    await NodeCertificate.serving(pki, { ...NAMES, nodeIP: '192.0.2.3' }, client, clock);
    expect(requests).toHaveLength(3);
  });

  it('renews it before it ends, again and again, and tries again where nobody signs', async () => {
    const { client } = apiServer('signs');
    const pki = join(dir, 'c');
    const ended = new AbortController();
    await keepIdentity(pki, certificates.ca.cert, await becomeNode(NAMES, client, clock));
    const identity = await NodeCertificate.client(pki, NAMES, clock);
    const seen = [identity.pair.cert];
    identity.onRenewed(({ cert }) => seen.push(cert));
    let failures = 0;
    const flaky = {
      ...client,
      create: (...args: Parameters<Client['create']>) => {
        if (failures++ % 2 === 0) return Promise.reject(new Error('not now'));
        return client.create(...args);
      },
    } as unknown as Client;
    const random = new SeededRandom(1);
    identity.keepFresh(flaky, { clock, random, log: silentLogger, signal: ended.signal });
    for (let at = 0; at < 72 * HOUR; at += HOUR / 2) {
      await clock.advance(HOUR / 2);
      // Keys are made in the machine's time.
      await machine.sleep(10);
      expect(new X509Certificate(identity.pair.cert).validToDate.getTime()).toBeGreaterThan(clock.now());
    }
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect((await NodeCertificate.client(pki, NAMES, clock)).pair.cert).toBe(seen.at(-1));
    ended.abort();
  });

  it('is told why it gets none', async () => {
    await expect(becomeNode(NAMES, apiServer('denies').client, clock)).rejects.toThrow('not you');
    const waiting = becomeNode(NAMES, apiServer('is silent').client, clock);
    const refused = expect(waiting).rejects.toThrow('nobody approved the request 0');
    let over = false;
    void refused.finally(() => {
      over = true;
    });
    // Keys are made in the machine's time: nobody knows how far the clock has to go until the request is made.
    while (!over) {
      await clock.advance(1_000);
      await machine.sleep(1);
    }
    await refused;
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    await expect(becomeNode(NAMES, apiServer('signs', [ready]).client, clock)).rejects.toThrow('a node b already');
    const silent = { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } };
    await expect(becomeNode(NAMES, apiServer('signs', [silent]).client, clock)).resolves.toBeDefined();
    await expect(NodeCertificate.client(join(dir, 'nowhere'), NAMES, clock)).rejects.toThrow('join again with a token');
  });
});
