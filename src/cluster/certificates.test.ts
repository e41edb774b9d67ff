import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { VirtualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/log.ts';
import { CertificateError, ensureCertificates } from './certificates.ts';

const YEAR = 365 * 24 * 3600 * 1000;
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-pki-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const make = (clock = new VirtualClock(), more: { nodeIP?: string; nodeName?: string } = {}) =>
  ensureCertificates({
    dir,
    clock,
    log: silentLogger,
    nodeName: 'node-1',
    nodeIP: '192.0.2.7',
    serviceIP: '10.96.0.1',
    ...more,
  });

test('makes what every part needs, signed by one CA', async () => {
  const made = await make();
  const ca = new X509Certificate(made.ca.cert);
  expect(ca.ca).toBe(true);
  for (const pair of [
    made.apiserver,
    made.admin,
    made.apiserverKubeletClient,
    made.kubelet.client,
    made.kubelet.serving,
  ]) {
    const cert = new X509Certificate(pair.cert);
    expect(cert.verify(ca.publicKey)).toBe(true);
    expect(cert.checkIssued(ca)).toBe(true);
  }
  const serving = new X509Certificate(made.apiserver.cert);
  for (const host of ['kubernetes', 'kubernetes.default.svc.cluster.local', 'localhost', 'node-1']) {
    expect(serving.checkHost(host)).toBe(host);
  }
  for (const ip of ['10.96.0.1', '127.0.0.1', '192.0.2.7']) expect(serving.checkIP(ip)).toBe(ip);
  expect(new X509Certificate(made.admin.cert).subject).toBe('O=system:masters\nCN=kubernetes-admin');
  expect(new X509Certificate(made.kubelet.client.cert).subject).toBe('O=system:nodes\nCN=system:node:node-1');
});

test('asks for nothing that Node 20 lacks', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const newer = vi.spyOn(Object.getPrototypeOf(Object.getPrototypeOf(privateKey)), 'toCryptoKey');
  try {
    await make();
    expect(newer).not.toHaveBeenCalled();
  } finally {
    newer.mockRestore();
  }
});

test('files are readable by their owner only', async () => {
  await make();
  for (const file of await readdir(dir)) expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600);
});

test('a later start reads what is there', async () => {
  const first = await make();
  expect(await make()).toEqual(first);
});

test('a leaf near its end, or that lacks an address, is issued again by the same CA', async () => {
  const first = await make();
  const later = await make(new VirtualClock(Date.UTC(2026, 0, 1) + YEAR * 0.9));
  expect(later.ca).toEqual(first.ca);
  expect(later.admin.cert).not.toBe(first.admin.cert);
  const moved = await make(new VirtualClock(Date.UTC(2026, 0, 1) + YEAR * 0.9), { nodeIP: '192.0.2.8' });
  expect(moved.admin).toEqual(later.admin);
  expect(new X509Certificate(moved.apiserver.cert).checkIP('192.0.2.8')).toBe('192.0.2.8');
});

test('a CA near its end is renewed with the same key', async () => {
  const first = await make();
  const later = await make(new VirtualClock(Date.UTC(2026, 0, 1) + YEAR * 9.9));
  expect(later.ca.key).toBe(first.ca.key);
  expect(later.ca.cert).not.toBe(first.ca.cert);
  expect(new X509Certificate(first.admin.cert).verify(new X509Certificate(later.ca.cert).publicKey)).toBe(true);
});

test('a broken leaf is replaced, a broken CA or service account key is refused', async () => {
  const first = await make();
  await writeFile(join(dir, 'apiserver.crt'), 'nonsense');
  expect((await make()).apiserver.cert).not.toBe(first.apiserver.cert);
  await writeFile(join(dir, 'sa.key'), 'nonsense');
  await expect(make()).rejects.toThrow(CertificateError);
  await writeFile(join(dir, 'sa.key'), first.serviceAccountKey);
  await writeFile(join(dir, 'ca.crt'), 'nonsense');
  await expect(make()).rejects.toThrow(/ca\.crt/);
  expect(await readFile(join(dir, 'ca.crt'), 'utf8')).toBe('nonsense');
});
