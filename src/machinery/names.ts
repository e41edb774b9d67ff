/**
 * The rules for names. Each function returns what is wrong, in words; an empty list means that nothing is.
 *
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/
 */
import { isIP } from 'node:net';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const ENV_NAME = /^[ !-<>-~]+$/;
const PORT_NAME_CHARS = /^[-a-z0-9]+$/;

const DNS_LABEL_MAX = 63;
const DNS_SUBDOMAIN_MAX = 253;

const NO_FAULTS: string[] = [];

const tooLong = (max: number) => `must be no more than ${max} characters`;

/** A DNS label (RFC 1123): namespaces, containers. */
export function dnsLabel(name: string): string[] {
  if (name.length <= DNS_LABEL_MAX && LABEL.test(name)) return NO_FAULTS;
  const faults: string[] = [];
  if (name.length > DNS_LABEL_MAX) faults.push(tooLong(DNS_LABEL_MAX));
  if (!LABEL.test(name)) {
    faults.push(
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc')",
    );
  }
  return faults;
}

/** A DNS label that starts with a letter (RFC 1035): services. */
export function dnsLabel1035(name: string): string[] {
  if (name.length <= DNS_LABEL_MAX && LABEL_1035.test(name)) return NO_FAULTS;
  const faults: string[] = [];
  if (name.length > DNS_LABEL_MAX) faults.push(tooLong(DNS_LABEL_MAX));
  if (!LABEL_1035.test(name)) {
    faults.push(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name', or 'abc-123')",
    );
  }
  return faults;
}

/** A DNS subdomain (RFC 1123): most objects. */
export function dnsSubdomain(name: string): string[] {
  if (name.length <= DNS_SUBDOMAIN_MAX && SUBDOMAIN.test(name)) return NO_FAULTS;
  const faults: string[] = [];
  if (name.length > DNS_SUBDOMAIN_MAX) faults.push(tooLong(DNS_SUBDOMAIN_MAX));
  if (!SUBDOMAIN.test(name)) {
    faults.push(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com')",
    );
  }
  return faults;
}

/** What may stand as one segment of a URL path: the names of RBAC objects. */
export function pathSegment(name: string): string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  const faults: string[] = [];
  for (const part of ['/', '%']) if (name.includes(part)) faults.push(`may not contain '${part}'`);
  return faults;
}

/** A label's or annotation's key: `app`, `example.com/app`. */
export function qualifiedName(key: string): string[] {
  const slash = key.indexOf('/');
  const name = slash < 0 ? key : key.slice(slash + 1);
  const faults: string[] = [];
  if (slash >= 0) {
    if (name.includes('/')) {
      return [
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
      ];
    }
    const prefix = key.slice(0, slash);
    if (prefix === '') faults.push('prefix part must be non-empty');
    else for (const fault of dnsSubdomain(prefix)) faults.push(`prefix part ${fault}`);
  }
  if (name === '') faults.push('name part must be non-empty');
  else if (name.length > DNS_LABEL_MAX) faults.push(`name part ${tooLong(DNS_LABEL_MAX)}`);
  if (!QUALIFIED.test(name)) {
    faults.push(
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc')",
    );
  }
  return faults;
}

export function labelValue(value: string): string[] {
  const faults: string[] = [];
  if (value.length > DNS_LABEL_MAX) faults.push(tooLong(DNS_LABEL_MAX));
  if (!LABEL_VALUE.test(value)) {
    faults.push(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345')",
    );
  }
  return faults;
}

/** A key of a config map's or secret's data. */
export function configMapKey(key: string): string[] {
  const faults: string[] = [];
  if (key.length > DNS_SUBDOMAIN_MAX) faults.push(tooLong(DNS_SUBDOMAIN_MAX));
  if (!CONFIG_KEY.test(key)) {
    faults.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name', or 'KEY_NAME', or 'key-name')",
    );
  } else if (key === '.' || key === '..' || key.startsWith('../')) faults.push(`must not be '${key}'`);
  return faults;
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
  if (name.length > 15) faults.push('must be no more than 15 characters');
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
