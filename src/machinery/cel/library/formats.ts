/** Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-format-library */
import { dnsLabel, dnsLabel1035, dnsSubdomain, labelValue, qualifiedName } from '../../names.ts';
import { fn, method, type Overload } from '../overload.ts';
import { parseTimestamp } from '../timestamp.ts';
import { listOf, opaque, optionalOf, STRING } from '../types.ts';
import { ListValue, OpaqueValue, Optional } from '../value.ts';

const FORMAT = opaque('kubernetes.NamedFormat');

class Format extends OpaqueValue {
  override readonly type = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly faults: (text: string) => readonly string[];
  constructor(name: string, faults: (text: string) => readonly string[]) {
    super();
    this.name = name;
    this.faults = faults;
  }
  override equals(other: OpaqueValue): boolean {
    return other instanceof Format && other.name === this.name;
  }
  override toJson(): string {
    return this.name;
  }
}

/** A prefix of a generated name may end in a dash. */
const asPrefix = (rule: (name: string) => string[]) => (text: string) => rule(text.replace(/-$/, 'a'));

const isUri = (text: string): string[] => {
  try {
    return text.startsWith('/') || new URL(text).href !== '' ? [] : ['invalid URI'];
  } catch {
    return ['invalid URI'];
  }
};

const RULES: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label: dnsLabel1035,
  qualifiedName,
  dns1123LabelPrefix: asPrefix(dnsLabel),
  dns1123SubdomainPrefix: asPrefix(dnsSubdomain),
  dns1035LabelPrefix: asPrefix(dnsLabel1035),
  labelValue,
  uri: isUri,
  uuid: (text) =>
    /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text)
      ? []
      : ['does not match the UUID format'],
  byte: (text) => (/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? [] : ['invalid base64']),
  date: (text) => (/^\d{4}-\d{2}-\d{2}$/.test(text) && parseTimestamp(text) !== undefined ? [] : ['invalid date']),
  datetime: (text) => (text.length > 10 && parseTimestamp(text) !== undefined ? [] : ['invalid datetime']),
};

export const formats: readonly Overload[] = [
  ...Object.entries(RULES).map(([name, faults]) => fn(`format.${name}`, [], FORMAT, () => new Format(name, faults))),
  fn('format.named', [STRING], optionalOf(FORMAT), (name: string) => {
    const faults = Object.hasOwn(RULES, name) ? RULES[name] : undefined;
    return faults === undefined ? new Optional() : new Optional(new Format(name, faults));
  }),
  method('validate', [FORMAT, STRING], optionalOf(listOf(STRING)), (format: Format, text: string) => {
    const found = format.faults(text);
    return found.length === 0 ? new Optional() : new Optional(new ListValue(found));
  }),
];
