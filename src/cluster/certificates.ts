/**
 * The cluster's keys and certificates: made at the first start, kept in a folder, read again at the next
 * one, renewed when they near their end or no longer name what they must.
 * Source: https://kubernetes.io/docs/setup/best-practices/certificates/
 */
import { createPrivateKey, createPublicKey, KeyObject, randomUUID, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface ClusterCertificates {
  /** The cluster's CA. It issues servers' and clients' certificates alike. */
  readonly ca: KeyPair;
  /** The API server's serving certificate. */
  readonly apiserver: KeyPair;
  /** With which the API server calls kubelets: logs, exec, port-forward. */
  readonly apiserverKubeletClient: KeyPair;
  /** Apart from the cluster's: who has a certificate of this CA is believed by other API servers, whoever it claims to be. */
  readonly frontProxyCA: KeyPair;
  /** With which the API server calls other API servers. */
  readonly frontProxyClient: KeyPair;
  /** kubernetes-admin of system:masters, for the kubeconfig. */
  readonly admin: KeyPair;
  readonly kubelet: { readonly serving: KeyPair; readonly client: KeyPair };
  /** PEM, EC P-256: signs the tokens of service accounts. */
  readonly serviceAccountKey: string;
}

export interface CertificateOptions {
  /** the folder; made with mode 0700 when it is not there */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nodeName: string;
  readonly nodeIP: string;
  /** of the service `kubernetes`: 10.96.0.1 */
  readonly serviceIP: string;
  /** `cluster.local` when absent */
  readonly clusterDomain?: string;
  /** further names and addresses under which clients call the API server */
  readonly extraNames?: readonly string[];
}

/** A certificate or key that must not be replaced cannot be used. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const DAY_MS = 24 * 3600 * 1000;
const CA_LIFE_MS = 3650 * DAY_MS;
const LEAF_LIFE_MS = 365 * DAY_MS;
/** Renewed when less than this is left; a start is the only moment when that is looked at. */
const RENEW_BEFORE_MS = 90 * DAY_MS;
/** Clocks of clients may be behind. */
const BACKDATE_MS = 5 * 60 * 1000;

interface LeafRequest {
  readonly file: string;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usage: 'server' | 'client';
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

/**
 * Everything the cluster's parts need to trust each other. A later start reads files only; the library that
 * makes certificates is not even loaded.
 * @throws CertificateError where the CA or the service account key is there but broken: replacing either would
 *   lock out every client that trusts it
 */
export async function ensureCertificates(options: CertificateOptions): Promise<ClusterCertificates> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const [ca, frontProxyCA] = await Promise.all([
    ensureCA(options, 'ca', 'kubernetes'),
    ensureCA(options, 'front-proxy-ca', 'front-proxy-ca'),
  ]);
  const domain = options.clusterDomain ?? 'cluster.local';
  const named = options.extraNames ?? [];
  const leaf = (request: LeafRequest) => ensureLeaf(options, ca, request);
  const [apiserver, apiserverKubeletClient, frontProxyClient, admin, serving, client, serviceAccountKey] =
    await Promise.all([
      leaf({
        file: 'apiserver',
        commonName: 'kube-apiserver',
        usage: 'server',
        dns: unique([
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          `kubernetes.default.svc.${domain}`,
          'localhost',
          options.nodeName,
          ...named.filter((n) => !isAddress(n)),
        ]),
        ips: unique([options.serviceIP, options.nodeIP, '127.0.0.1', ...named.filter(isAddress)]),
      }),
      leaf({
        file: 'apiserver-kubelet-client',
        commonName: 'kube-apiserver-kubelet-client',
        organizations: ['system:masters'],
        usage: 'client',
      }),
      ensureLeaf(options, frontProxyCA, {
        file: 'front-proxy-client',
        commonName: 'front-proxy-client',
        usage: 'client',
      }),
      leaf({ file: 'admin', commonName: 'kubernetes-admin', organizations: ['system:masters'], usage: 'client' }),
      leaf({
        file: 'kubelet',
        commonName: `system:node:${options.nodeName}`,
        organizations: ['system:nodes'],
        usage: 'server',
        dns: unique([options.nodeName, 'localhost']),
        ips: unique([options.nodeIP, '127.0.0.1']),
      }),
      leaf({
        file: 'kubelet-client',
        commonName: `system:node:${options.nodeName}`,
        organizations: ['system:nodes'],
        usage: 'client',
      }),
      ensureServiceAccountKey(options.dir),
    ]);
  return {
    ca,
    apiserver,
    apiserverKubeletClient,
    frontProxyCA,
    frontProxyClient,
    admin,
    kubelet: { serving, client },
    serviceAccountKey,
  };
}

const unique = (names: readonly string[]) => [...new Set(names)];
const isAddress = (name: string) => name.includes(':') || /^[0-9.]+$/.test(name);

async function ensureCA(options: CertificateOptions, file: string, commonName: string): Promise<KeyPair> {
  const found = await readPair(options.dir, file);
  if (found === undefined) {
    const keys = await newKeys();
    return writePair(options.dir, file, {
      cert: await issueCA(options.clock, commonName, keys),
      key: privatePem(keys.privateKey),
    });
  }
  const path = join(options.dir, `${file}.crt`);
  let cert: X509Certificate;
  try {
    cert = new X509Certificate(found.cert);
    if (!cert.checkPrivateKey(createPrivateKey(found.key)))
      throw new Error(`it does not belong to the key in ${file}.key`);
  } catch (e) {
    throw new CertificateError(`the cluster's CA in ${path} cannot be used: ${(e as Error).message}`);
  }
  if (cert.validToDate.getTime() - options.clock.now() > RENEW_BEFORE_MS) return found;
  // The key stays, so certificates that it signed stay good.
  options.log.info('renewing the certificate of the cluster CA', { path });
  return writePair(options.dir, file, {
    cert: await issueCA(options.clock, commonName, await importKeys(found.key)),
    key: found.key,
  });
}

async function ensureLeaf(options: CertificateOptions, ca: KeyPair, request: LeafRequest): Promise<KeyPair> {
  const found = await readPair(options.dir, request.file);
  if (found !== undefined) {
    const why = faultOf(found, new X509Certificate(ca.cert), request, options.clock.now());
    if (why === undefined) return found;
    options.log.info('issuing a certificate again', { file: `${request.file}.crt`, why });
  }
  return writePair(options.dir, request.file, await issueLeaf(options.clock, ca, request));
}

/** Why a certificate that was found cannot serve any longer; undefined when it can. */
function faultOf(pair: KeyPair, ca: X509Certificate, request: LeafRequest, now: number): string | undefined {
  try {
    const cert = new X509Certificate(pair.cert);
    if (!cert.checkPrivateKey(createPrivateKey(pair.key))) return 'its key is another';
    if (!cert.checkIssued(ca) || !cert.verify(ca.publicKey)) return 'another CA signed it';
    if (cert.validToDate.getTime() - now < RENEW_BEFORE_MS) return 'it expires soon';
    if (cert.validFromDate.getTime() > now) return 'it is not valid yet';
    if (!cert.subject.split('\n').includes(`CN=${request.commonName}`)) return 'its name is another';
    const missing = [
      ...(request.dns ?? []).filter((name) => cert.checkHost(name, { wildcards: false }) === undefined),
      ...(request.ips ?? []).filter((ip) => cert.checkIP(ip) === undefined),
    ];
    return missing.length === 0 ? undefined : `it does not name ${missing.join(', ')}`;
  } catch (e) {
    return `it cannot be read: ${(e as Error).message}`;
  }
}

async function ensureServiceAccountKey(dir: string): Promise<string> {
  const path = join(dir, 'sa.key');
  const found = await readOptional(path);
  if (found === undefined) {
    const key = privatePem((await newKeys()).privateKey);
    await writePrivate(join(dir, 'sa.pub'), createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString());
    await writePrivate(path, key);
    return key;
  }
  try {
    createPrivateKey(found);
  } catch (e) {
    throw new CertificateError(`the key of service accounts in ${path} cannot be used: ${(e as Error).message}`);
  }
  return found;
}

// --- making ----------------------------------------------------------------------------------

export const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

type Keys = Readonly<{ publicKey: CryptoKey; privateKey: CryptoKey }>;
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** 95 ms to load, and needed only where a certificate is made. */
export async function x509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

export async function newKeys(): Promise<Keys> {
  return (await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])) as Keys;
}

export async function importKeys(pem: string): Promise<Keys> {
  const key = createPrivateKey(pem);
  // Not toCryptoKey: createCluster runs under its caller's Node, and 20 does not have that.
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), CURVE, true, ['sign']),
    crypto.subtle.importKey('spki', createPublicKey(key).export({ type: 'spki', format: 'der' }), CURVE, true, [
      'verify',
    ]),
  ]);
  return { privateKey, publicKey };
}

export const privatePem = (key: CryptoKey) => KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();

async function issueCA(clock: Clock, commonName: string, keys: Keys): Promise<string> {
  const x = await x509();
  const cert = await x.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: SIGNING,
    notBefore: new Date(clock.now() - BACKDATE_MS),
    notAfter: new Date(clock.now() + CA_LIFE_MS),
    extensions: [
      new x.BasicConstraintsExtension(true, undefined, true),
      new x.KeyUsagesExtension(
        x.KeyUsageFlags.digitalSignature | x.KeyUsageFlags.keyEncipherment | x.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${cert.toString('pem')}\n`;
}

async function issueLeaf(clock: Clock, ca: KeyPair, request: LeafRequest): Promise<KeyPair> {
  const x = await x509();
  const keys = await newKeys();
  const signer = await importKeys(ca.key);
  const issuer = new x.X509Certificate(ca.cert);
  const names = [
    ...(request.dns ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ips ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const cert = await x.X509CertificateGenerator.create({
    subject: [...(request.organizations ?? []).map((o) => ({ O: [o] })), { CN: [request.commonName] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: SIGNING,
    notBefore: new Date(clock.now() - BACKDATE_MS),
    notAfter: new Date(Math.min(clock.now() + LEAF_LIFE_MS, issuer.notAfter.getTime())),
    extensions: [
      new x.BasicConstraintsExtension(false, undefined, true),
      new x.KeyUsagesExtension(x.KeyUsageFlags.digitalSignature | x.KeyUsageFlags.keyEncipherment, true),
      new x.ExtendedKeyUsageExtension([x.ExtendedKeyUsage[request.usage === 'server' ? 'serverAuth' : 'clientAuth']]),
      await x.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names.length === 0 ? [] : [new x.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: privatePem(keys.privateKey) };
}

// --- files -----------------------------------------------------------------------------------

export async function readPair(dir: string, name: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([
    readOptional(join(dir, `${name}.crt`)),
    readOptional(join(dir, `${name}.key`)),
  ]);
  // The key is written first: a certificate without one was never handed out whole.
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

export async function writePair(dir: string, name: string, pair: KeyPair): Promise<KeyPair> {
  await writePrivate(join(dir, `${name}.key`), pair.key);
  await writePrivate(join(dir, `${name}.crt`), pair.cert);
  return pair;
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CertificateError(`cannot read ${path}: ${(e as Error).message}`);
  }
}

/** Whole or not at all, and for the owner's eyes only. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text, { mode: 0o600 });
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
