/** The names of the cluster, kept up to date service by service. */
import { undashed } from './addresses.ts';
import { type RecordData, TYPE } from './message.ts';
import type { NamedRecord } from './serviceRecords.ts';

/** The version of the specification that the names follow. */
const SPECIFICATION = '1.1.0';

/** What there is under a name: no records where only names below it exist. */
export type Found = readonly RecordData[];

export class Zone {
  readonly domain: string;
  readonly #records = new Map<string, Set<RecordData>>();
  /** names that exist because of those below them, with how many those are */
  readonly #parents = new Map<string, number>();
  readonly #services = new Map<string, readonly NamedRecord[]>();
  readonly #namespaces = new Set<string>();
  /** rises with each change */
  serial = 1;

  /** @param domain `cluster.local` */
  constructor(domain: string) {
    this.domain = domain;
    this.#add({ name: `dns-version.${domain}`, data: { type: 'TXT', text: SPECIFICATION } });
    for (const name of ['svc', 'pod']) this.#raise(`${name}.${domain}`, 1);
    this.#raise(domain, 1);
  }

  /** @param records none where the service is gone */
  setService(key: string, records: readonly NamedRecord[]): void {
    const before = this.#services.get(key) ?? [];
    for (const record of records) this.#add(record);
    for (const record of before) this.#remove(record);
    if (records.length === 0) this.#services.delete(key);
    else this.#services.set(key, records);
    this.serial++;
  }

  setNamespace(name: string, there: boolean): void {
    if (this.#namespaces.has(name) === there) return;
    if (there) this.#namespaces.add(name);
    else this.#namespaces.delete(name);
    for (const part of ['svc', 'pod']) this.#raise(`${name}.${part}.${this.domain}`, there ? 1 : -1);
    this.serial++;
  }

  /** Whether a name is the cluster's to answer for: in its domain, or the reverse of one of its addresses. */
  owns(name: string): boolean {
    return name === this.domain || name.endsWith(`.${this.domain}`) || (isReverse(name) && this.#records.has(name));
  }

  /** What there is under a name; undefined where there is no such name. */
  find(name: string): Found | undefined {
    const records = this.#records.get(name);
    if (records !== undefined) return [...records];
    return this.#podAddress(name) ?? (this.#parents.has(name) ? [] : undefined);
  }

  /** `10-244-0-7.default.pod.cluster.local` stands for that address. */
  #podAddress(name: string): Found | undefined {
    const suffix = `.pod.${this.domain}`;
    if (!name.endsWith(suffix)) return undefined;
    const [label = '', namespace, ...more] = name.slice(0, -suffix.length).split('.');
    if (namespace === undefined || more.length > 0 || !this.#namespaces.has(namespace)) return undefined;
    const address = undashed(label);
    return address === undefined ? undefined : [{ type: address.length === 4 ? 'A' : 'AAAA', address }];
  }

  #add({ name, data }: NamedRecord): void {
    const records = this.#records.get(name);
    if (records !== undefined) {
      records.add(data);
      return;
    }
    this.#records.set(name, new Set([data]));
    this.#raiseParents(name, 1);
  }

  #remove({ name, data }: NamedRecord): void {
    const records = this.#records.get(name);
    if (records === undefined || !records.delete(data) || records.size > 0) return;
    this.#records.delete(name);
    this.#raiseParents(name, -1);
  }

  #raiseParents(name: string, by: number): void {
    if (!name.endsWith(`.${this.domain}`)) return;
    for (let parent = parentOf(name); parent.length > this.domain.length; parent = parentOf(parent)) {
      this.#raise(parent, by);
    }
  }

  #raise(name: string, by: number): void {
    const count = (this.#parents.get(name) ?? 0) + by;
    if (count > 0) this.#parents.set(name, count);
    else this.#parents.delete(name);
  }
}

const parentOf = (name: string) => name.slice(name.indexOf('.') + 1);
const isReverse = (name: string) => name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa');

/** The records of one type among those of a name. An alias stands for every type. */
export function ofType(found: Found, type: number): RecordData[] {
  return found.filter((data) => TYPE[data.type] === type || type === TYPE.ANY || data.type === 'CNAME');
}
