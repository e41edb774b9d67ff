/**
 * What is wrong with certificate signing requests, and what may change in them.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
 */
import { X509Certificate } from 'node:crypto';
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { dnsSubdomain } from '../../machinery/names.ts';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
} from './certificateSigningRequest.ts';
import { CertificateRequestError, parseCertificateRequest } from './pkcs10.ts';

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';
const MIN_SECONDS = 600;
const MAX_SIGNER_LENGTH = 571;
/** Once there, they stay. */
const LASTING = ['Approved', 'Denied', 'Failed'];
const STATUSES = ['False', 'True', 'Unknown'];

/** What of a request may be set by a call, beside what is always checked. */
export interface MayChange {
  readonly approval: boolean;
  readonly certificate: boolean;
}

export function validateRequest(csr: CertificateSigningRequest, old?: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<CertificateSigningRequestSpec> = csr.spec ?? {};
  // The spec never changes: what was let in once needs no second look.
  if (old === undefined) validateSpec(spec, errors);
  validateConditions(csr.status?.conditions ?? [], old?.status?.conditions, errors);
  const certificate = csr.status?.certificate ?? '';
  if (certificate !== '' && certificate !== old?.status?.certificate) {
    const fault = certificateFault(certificate);
    if (fault !== undefined) errors.push(invalid('status.certificate', '<certificate data>', fault));
  }
  return errors;
}

function validateSpec(spec: Partial<CertificateSigningRequestSpec>, errors: FieldError[]): void {
  try {
    const { signed } = parseCertificateRequest(spec.request ?? '');
    if (!signed)
      errors.push(invalid('spec.request', spec.request ?? '', 'x509: the signature of the request is wrong'));
  } catch (error) {
    if (!(error instanceof CertificateRequestError)) throw error;
    errors.push(invalid('spec.request', spec.request ?? '', error.message));
  }
  const usages = spec.usages ?? [];
  if (usages.length === 0) errors.push(required('spec.usages'));
  for (const [i, usage] of usages.entries()) {
    if (!USAGES.includes(usage)) errors.push(notSupported(`spec.usages[${i}]`, usage, USAGES));
    if (usages.indexOf(usage) < i) errors.push(duplicate(`spec.usages[${i}]`, usage));
  }
  const signer = spec.signerName ?? '';
  if (signer === LEGACY_SIGNER) {
    errors.push(invalid('spec.signerName', signer, 'the legacy signerName is not allowed via this API version'));
  } else validateSignerName(signer, 'spec.signerName', errors);
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < MIN_SECONDS) {
    const detail = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`;
    errors.push(invalid('spec.expirationSeconds', seconds, detail));
  }
}

/** `example.com/signer`: a domain of at least two parts, and a path of names. */
function validateSignerName(name: string, path: string, errors: FieldError[]): void {
  if (name === '') {
    errors.push(required(path));
    return;
  }
  const slash = name.indexOf('/');
  const domain = slash < 0 ? name : name.slice(0, slash);
  const rest = slash < 0 ? '' : name.slice(slash + 1);
  if (rest === '' || rest.includes('/')) {
    errors.push(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
    return;
  }
  const faults = dnsSubdomain(domain);
  for (const fault of faults) errors.push(invalid(path, domain, fault));
  if (faults.length === 0 && !domain.includes('.')) {
    errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  }
  for (const part of rest.split('.')) {
    for (const fault of dnsSubdomain(part))
      errors.push(invalid(path, part, `validating label ${JSON.stringify(part)}: ${fault}`));
  }
  if (name.length > MAX_SIGNER_LENGTH) {
    errors.push({ type: 'FieldValueTooLong', field: path, detail: `may not be more than ${MAX_SIGNER_LENGTH} bytes` });
  }
}

type Conditions = readonly CertificateSigningRequestCondition[];

function validateConditions(conditions: Conditions, old: Conditions | undefined, errors: FieldError[]): void {
  if (old !== undefined && jsonEqual(conditions, old)) return;
  const seen = new Set<string>();
  for (const [i, { type = '', status = '' }] of conditions.entries()) {
    const path = `status.conditions[${i}]`;
    if (type === '') errors.push(required(`${path}.type`));
    const allowed = LASTING.includes(type) ? ['True'] : STATUSES;
    if (status === '') errors.push(required(`${path}.status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${path}.status`, status, allowed));
    const other = type === 'Approved' ? 'Denied' : 'Approved';
    if ((type === 'Approved' || type === 'Denied') && seen.has(other)) {
      errors.push(invalid(`${path}.type`, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
  }
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([^-]*)-----END ([A-Z0-9 ]+)-----/g;

function certificateFault(base64: string): string | undefined {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  let blocks = 0;
  for (const [block, type, body = ''] of text.matchAll(PEM_BLOCK)) {
    blocks++;
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body.includes(':')) return 'no PEM block headers are permitted';
    try {
      new X509Certificate(block);
    } catch {
      return 'x509: the certificate is malformed';
    }
  }
  return blocks === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

export function validateRequestUpdate(
  csr: CertificateSigningRequest,
  old: CertificateSigningRequest,
  may: MayChange,
): FieldError[] {
  const errors = validateRequest(csr, old);
  const path = 'status.conditions';
  for (const type of LASTING) {
    const now = (csr.status?.conditions ?? []).filter((c) => c.type === type);
    const before = (old.status?.conditions ?? []).filter((c) => c.type === type);
    const show = JSON.stringify(type);
    if (now.length < before.length) errors.push(forbidden(path, `updates may not remove a condition of type ${show}`));
    else if (type !== 'Failed' && !may.approval && now.length > before.length) {
      errors.push(forbidden(path, `updates may not add a condition of type ${show}`));
    } else if (type !== 'Failed' && !may.approval && !jsonEqual(now, before)) {
      errors.push(forbidden(path, `updates may not modify a condition of type ${show}`));
    }
  }
  const certificate = csr.status?.certificate ?? '';
  const before = old.status?.certificate ?? '';
  if (certificate !== before) {
    if (!may.certificate) errors.push(forbidden('status.certificate', 'updates may not set certificate content'));
    else if (before !== '') {
      errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'));
    }
  }
  return errors;
}
