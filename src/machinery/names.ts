/**
 * The rules for names. Each function returns what is wrong, in words; an empty list means that nothing is.
 *
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/
 */
import { isIP } from 'node:net';

/** A rule by pattern: the whole text must match. The fault says what is asked for, with examples, as clients know it. */
interface Rule {
  readonly pattern: RegExp;
  readonly fault: string;
}

function rule(source: string, asked: string, ...examples: string[]): Rule {
  const shown = examples.map((example) => `'${example}'`).join(', or ');
  return {
    pattern: new RegExp(`^${source}$`),
    fault: `${asked} (${shown === '' ? '' : `e.g. ${shown}, `}regex used for validation is '${source}')`,
  };
}

const LABEL_SOURCE = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_SOURCE = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const LABEL = rule(
  LABEL_SOURCE,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  'my-name',
  '123-abc',
);
const LABEL_1035 = rule(
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  'my-name',
  'abc-123',
);
const SUBDOMAIN = rule(
  `${LABEL_SOURCE}(\\.${LABEL_SOURCE})*`,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  'example.com',
);
const QUALIFIED_FAULT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const QUALIFIED = rule(QUALIFIED_SOURCE, QUALIFIED_FAULT, 'MyName', 'my.name', '123-abc');
/** For a key with more than one slash, of which no part is the name. */
const QUALIFIED_WHOLE = rule(QUALIFIED_SOURCE, `a qualified name ${QUALIFIED_FAULT}`, 'MyName', 'my.name', '123-abc');
const LABEL_VALUE = rule(
  `(${QUALIFIED_SOURCE})?`,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyValue',
  'my_value',
  '12345',
);
const WILDCARD = rule(
  `\\*\\.${LABEL_SOURCE}(\\.${LABEL_SOURCE})*`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  '*.example.com',
);
const PATH_AFTER_DOMAIN = rule(
  "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+",
  'a valid path must consist of the characters that may stand in the path of a URL',
);
const CONFIG_KEY = rule(
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  'key.name',
  'KEY_NAME',
  'key-name',
);

const ENV_NAME = /^[ -<>-~]+$/;
const PORT_NAME_CHARS = /^[-a-z0-9]+$/;

const DNS_LABEL_MAX = 63;
const DNS_SUBDOMAIN_MAX = 253;
const PORT_NAME_MAX = 15;

const NO_FAULTS: string[] = [];

const tooLong = (max: number) => `must be no more than ${max} bytes`;

/** What passes is the common case, and costs one match and no allocation. */
function check(text: string, max: number, { pattern, fault }: Rule): string[] {
  const matches = pattern.test(text);
  if (matches && text.length <= max) return NO_FAULTS;
  const faults: string[] = [];
  if (Buffer.byteLength(text) > max) faults.push(tooLong(max));
  if (!matches) faults.push(fault);
  return faults;
}

/** A DNS label (RFC 1123): namespaces, containers. */
export function dnsLabel(name: string): string[] {
  return check(name, DNS_LABEL_MAX, LABEL);
}

/** A DNS label that starts with a letter (RFC 1035): services. */
export function dnsLabel1035(name: string): string[] {
  return check(name, DNS_LABEL_MAX, LABEL_1035);
}

/** A DNS subdomain (RFC 1123): most objects. */
export function dnsSubdomain(name: string): string[] {
  return check(name, DNS_SUBDOMAIN_MAX, SUBDOMAIN);
}

/** A DNS subdomain of which the first part is any: `*.example.com`. */
export function wildcardSubdomain(name: string): string[] {
  return check(name, DNS_SUBDOMAIN_MAX, WILDCARD);
}

/** A domain and a path below it: `example.com/ingress`. Each says who made it up. */
export function domainPrefixedPath(path: string): string[] {
  const slash = path.indexOf('/');
  if (slash <= 0 || slash === path.length - 1) {
    return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  }
  const faults = dnsSubdomain(path.slice(0, slash));
  if (PATH_AFTER_DOMAIN.pattern.test(path.slice(slash + 1))) return faults;
  return [...faults, PATH_AFTER_DOMAIN.fault];
}

/** What may stand as one segment of a URL path: the names of RBAC objects. */
export function pathSegment(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const faults: string[] = [];
  for (const part of ['/', '%']) if (name.includes(part)) faults.push(`may not contain '${part}'`);
  // Nothing could ask for it: a key ends there, and half of a character is no text.
  if (name.includes('\0') || !name.isWellFormed()) faults.push('must be text without a null character');
  return faults;
}

/** A label's or annotation's key: `app`, `example.com/app`. */
export function qualifiedName(key: string): string[] {
  const slash = key.indexOf('/');
  if (slash < 0) return namePart(key);
  const name = key.slice(slash + 1);
  if (name.includes('/')) {
    return [`${QUALIFIED_WHOLE.fault} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const prefix = key.slice(0, slash);
  const faults = prefix === '' ? ['must be non-empty'] : dnsSubdomain(prefix);
  return faults.length === 0 ? namePart(name) : [...faults.map((fault) => `prefix part ${fault}`), ...namePart(name)];
}

function namePart(name: string): string[] {
  const faults = check(name, DNS_LABEL_MAX, QUALIFIED);
  if (faults.length === 0) return NO_FAULTS;
  return (name === '' ? ['must be non-empty', ...faults] : faults).map((fault) => `name part ${fault}`);
}

export function labelValue(value: string): string[] {
  return check(value, DNS_LABEL_MAX, LABEL_VALUE);
}

/** A key of a config map's or secret's data. It becomes a file's name, and must not lead out of its folder. */
export function configMapKey(key: string): string[] {
  const faults = check(key, DNS_SUBDOMAIN_MAX, CONFIG_KEY);
  if (key === '.' || key === '..') return [...faults, `must not be '${key}'`];
  return key.startsWith('..') ? [...faults, "must not start with '..'"] : faults;
}

/** Any printable ASCII characters but `=` (relaxed since 1.34). */
export function envVarName(name: string): string[] {
  return ENV_NAME.test(name)
    ? NO_FAULTS
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A port's name (RFC 6335). */
export function portName(name: string): string[] {
  const faults: string[] = [];
  if (name.length > PORT_NAME_MAX) faults.push(`must be no more than ${PORT_NAME_MAX} characters`);
  if (!PORT_NAME_CHARS.test(name))
    faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) faults.push('must contain at least one letter (a-z)');
  if (name.includes('--')) faults.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) faults.push('must not begin or end with a hyphen');
  return faults;
}

export function portNumber(port: number): string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? NO_FAULTS : ['must be between 1 and 65535, inclusive'];
}

export function ipAddress(text: string): string[] {
  return isIP(text) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : NO_FAULTS;
}
