/** The cluster's CA as the certificate controller asks for it: it signs what was approved. */
import type { CertificateAuthority, CertificateOrder } from '../controllers/certificateSigningRequest/plan.ts';
import type { Clock } from '../lib/clock.ts';
import { importKeys, type KeyPair, SIGNING, x509 } from './certificates.ts';

/** Clocks of others may be behind; a certificate that lives shorter than this is not shortened by it. */
const BACKDATE_MS = 5 * 60_000;
const SHORT_MS = 8 * 3_600_000;

/** Usages as flags of a key: the bits of RFC 5280, 4.2.1.3. */
const KEY_USAGES: Readonly<Record<string, number>> = {
  signing: 1,
  'digital signature': 1,
  'content commitment': 2,
  'key encipherment': 4,
  'data encipherment': 8,
  'key agreement': 16,
  'cert sign': 32,
  'crl sign': 64,
  'encipher only': 128,
  'decipher only': 256,
};

/** Usages as purposes: the identifiers of RFC 5280, 4.2.1.12, and of others. */
const EXTENDED_USAGES: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};
const ALTERNATIVE_NAME = '2.5.29.17';

/** @param clock the machine's: certificates are looked at by others */
export function certificateAuthority(ca: KeyPair, clock: Clock): CertificateAuthority {
  return { sign: (order) => sign(ca, clock, order) };
}

async function sign(ca: KeyPair, clock: Clock, order: CertificateOrder): Promise<string> {
  const x = await x509();
  const request = new x.Pkcs10CertificateRequest(order.request);
  if (!(await request.verify())) throw new Error('the signature of the request is wrong');
  const { privateKey } = await importKeys(ca.key);
  const issuer = new x.X509Certificate(ca.cert);
  const now = clock.now();
  const lifetimeMs = order.lifetimeSeconds * 1000;
  const end = now + lifetimeMs - (lifetimeMs < SHORT_MS ? 0 : BACKDATE_MS);
  const flags = order.usages.reduce((sum, usage) => sum | (KEY_USAGES[usage] ?? 0), 0);
  const purposes = [...new Set(order.usages.flatMap((usage) => EXTENDED_USAGES[usage] ?? []))];
  const names = request.extensions.find((extension) => extension.type === ALTERNATIVE_NAME);
  const certificate = await x.X509CertificateGenerator.create({
    subject: request.subjectName,
    issuer: issuer.subjectName,
    publicKey: request.publicKey,
    signingKey: privateKey,
    signingAlgorithm: SIGNING,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(Math.min(end, issuer.notAfter.getTime())),
    extensions: [
      new x.BasicConstraintsExtension(false, undefined, true),
      ...(flags === 0 ? [] : [new x.KeyUsagesExtension(flags, true)]),
      ...(purposes.length === 0 ? [] : [new x.ExtendedKeyUsageExtension(purposes)]),
      await x.AuthorityKeyIdentifierExtension.create(issuer),
      ...(names === undefined ? [] : [names]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}
