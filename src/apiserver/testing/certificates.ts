/** Certificates for tests: a CA, the server's, and clients' by name. */
import { KeyObject } from 'node:crypto';
import 'reflect-metadata';
import * as x from '@peculiar/x509';
import type { Clock } from '../../lib/clock.ts';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const;
const HOUR_MS = 3_600_000;

const privatePem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** PEM of a new key for signing tokens. */
export async function newKey(): Promise<string> {
  const { privateKey } = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
  return privatePem(KeyObject.from(privateKey));
}

export class TestCA {
  readonly #keys: CryptoKeyPair;
  readonly #now: number;
  readonly #certificate: x.X509Certificate;

  private constructor(keys: CryptoKeyPair, certificate: x.X509Certificate, now: number) {
    this.#keys = keys;
    this.#certificate = certificate;
    this.#now = now;
  }

  /** @param name those that are used together need names of their own */
  static async create(clock: Clock, name = 'test CA'): Promise<TestCA> {
    const keys = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
    const now = clock.now();
    const certificate = await x.X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: SIGNING,
      notBefore: new Date(now - HOUR_MS),
      notAfter: new Date(now + HOUR_MS),
      extensions: [new x.BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestCA(keys, certificate, now);
  }

  get pem(): string {
    return this.#certificate.toString('pem');
  }

  /** For a server at 127.0.0.1 or by one of those names, and for a client of that name and those groups. */
  async issue(commonName: string, groups: readonly string[] = [], names: readonly string[] = []): Promise<KeyPair> {
    const keys = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
    const certificate = await x.X509CertificateGenerator.create({
      subject: [{ CN: [commonName] }, ...groups.map((group) => ({ O: [group] }))],
      issuer: this.#certificate.subject,
      signingKey: this.#keys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm: SIGNING,
      notBefore: new Date(this.#now - HOUR_MS),
      notAfter: new Date(this.#now + HOUR_MS),
      extensions: [
        new x.SubjectAlternativeNameExtension([
          { type: 'ip', value: '127.0.0.1' },
          ...['localhost', ...names].map((value) => ({ type: 'dns' as const, value })),
        ]),
      ],
    });
    return { cert: certificate.toString('pem'), key: privatePem(KeyObject.from(keys.privateKey)) };
  }
}

type CryptoKeyPair = Awaited<ReturnType<typeof generate>>;
const generate = () => crypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
