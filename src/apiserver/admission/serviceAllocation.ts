/**
 * Services get their cluster address and node ports here: chosen, or checked where the client names them,
 * held while the write is under way, and free again when it fails or the service goes.
 * Source: https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/
 */
import { isIP } from 'node:net';
import { type Service, type ServiceSpec, services } from '../../apis/core/service.ts';
import { hasClusterIP } from '../../apis/core/serviceDefaults.ts';
import { type IPAddress, ipAddresses } from '../../apis/networking/ipAddress.ts';
import type { Random } from '../../lib/random.ts';
import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import type { Stored } from '../../machinery/kind.ts';
import { apiError, invalidObject } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import { AddressNumbers, FIRST_V6 } from './addressNumbers.ts';
import { type IpRange, parseIpRange } from './ipRange.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { Reservations } from './reservations.ts';
import { familyOf, type IpFamily, setFamilies } from './serviceFamilies.ts';

const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;
/** The start of each range is left to those who name one. */
const KEPT_ADDRESSES = { share: 16, most: 256 };
const KEPT_PORTS = { share: 32, most: 128 };
const NONE = 'None';
/** Before the name of an IPAddress object that holds its address for itself. */
const CLAIM_OWNER = 'ipaddresses/';

export class ServiceAllocation implements AdmissionPlugin {
  readonly name = 'ServiceAllocation';
  readonly resources: ReadonlySet<string> = new Set(['/services']);
  readonly #cache: WatchCache<Service>;
  readonly #claims: WatchCache<IPAddress>;
  readonly #numbers = new AddressNumbers();
  readonly #families: readonly IpFamily[];
  #ranges: readonly IpRange[];
  readonly #addresses: Reservations;
  readonly #ports: Reservations;
  #unlisten: (() => void) | undefined;
  #listening = false;
  #stopped = false;

  /** @param serviceCIDRs of the cluster, one for each of its families @throws RangeError for a range that is none */
  constructor(registry: Registry, serviceCIDRs: readonly string[], random: Random) {
    this.#cache = registry.cache(services);
    this.#claims = registry.cache(ipAddresses);
    this.#families = serviceCIDRs.map(familyOf);
    this.#ranges = serviceCIDRs.map((cidr) => this.#rangeOf(cidr));
    this.#addresses = new Reservations(this.#ranges, KEPT_ADDRESSES, random);
    this.#ports = new Reservations([{ first: FIRST_NODE_PORT, last: LAST_NODE_PORT }], KEPT_PORTS, random);
  }

  /** From now on addresses come out of these ranges, those of the cluster's ServiceCIDRs. */
  setRanges(cidrs: readonly string[]): void {
    const ranges = cidrs.map((cidr) => this.#numbers.range(cidr)).filter((range) => range !== undefined);
    this.#ranges = ranges;
    this.#addresses.setRanges(ranges);
  }

  /** Whether an address is held, also by a service that is being written, that is in `range` and in none of `others`. */
  isInUse(range: string, others: readonly string[]): boolean {
    const [own, ...rest] = [range, ...others].map((cidr) => this.#numbers.range(cidr));
    if (own === undefined) return false;
    const isIn = (value: number, r: IpRange | undefined) => r !== undefined && value >= r.first && value <= r.last;
    return this.#addresses.someHeld((value) => isIn(value, own) && !rest.some((r) => isIn(value, r)));
  }

  /** Takes what stored services hold. */
  async start(): Promise<void> {
    await Promise.all([this.#cache.start(), this.#claims.start()]);
    if (this.#stopped || this.#listening) return;
    this.#listening = true;
    for (const service of this.#cache.objects()) this.#settle(service);
    for (const claim of this.#claims.objects()) this.#claim(claim.metadata.name);
    const unclaim = this.#claims.listen({
      onEvent: ({ type, entry }) => {
        const { name } = entry.object.metadata;
        if (type === 'DELETED') this.#addresses.settle(CLAIM_OWNER + name, []);
        else this.#claim(name);
      },
      onEnd: () => {
        this.#listening = false;
      },
    });
    const unlisten = this.#cache.listen({
      onEvent: ({ type, entry }) => {
        if (type === 'DELETED') this.#release(entry.object.metadata.uid);
        else this.#settle(entry.object as Stored<Service>);
      },
      onEnd: () => {
        this.#listening = false;
      },
    });
    this.#unlisten?.();
    this.#unlisten = () => {
      unclaim();
      unlisten();
    };
  }

  /** An IPAddress object that belongs to no service keeps its address from them. */
  #claim(name: string): void {
    const address = this.#numbers.of(name);
    if (address !== undefined) this.#addresses.take(address, CLAIM_OWNER + name);
  }

  stop(): void {
    this.#stopped = true;
    this.#unlisten?.();
  }

  mutate(request: AdmissionRequest): void | Promise<void> {
    if (request.subresource !== '' || request.object === undefined) return;
    if (this.#listening) return this.#allocate(request);
    return this.start().then(() => this.#allocate(request));
  }

  undo(request: AdmissionRequest): void {
    const uid = request.object?.metadata?.uid;
    if (request.kind.plural !== 'services' || request.kind.group !== '' || uid === undefined) return;
    const stored = this.#cache.object(request.namespace, request.name);
    if (stored?.metadata.uid === uid) this.#settle(stored);
    else this.#release(uid);
  }

  #settle(service: Stored<Service>): void {
    const spec = service.spec ?? {};
    const addresses = (spec.clusterIPs ?? []).map((ip) => this.#numbers.of(ip)).filter((ip) => ip !== undefined);
    this.#addresses.settle(service.metadata.uid, addresses);
    this.#ports.settle(service.metadata.uid, portsOf(spec));
  }

  #release(uid: string): void {
    this.#addresses.settle(uid, []);
    this.#ports.settle(uid, []);
  }

  #allocate(request: AdmissionRequest): void {
    const service = request.object as Service;
    const { spec } = service;
    if (spec === undefined) return;
    const owner = service.metadata?.uid ?? '';
    const errors: FieldError[] = [];
    setFamilies(spec, this.#families, errors);
    if (errors.length === 0) {
      this.#allocateAddress(spec, owner, request.dryRun, errors);
      this.#allocatePorts(spec, owner, request.dryRun, errors);
    }
    if (errors.length > 0) {
      this.undo(request);
      throw invalidObject(services, request.name, errors);
    }
  }

  #allocateAddress(spec: ServiceSpec, owner: string, dryRun: boolean, errors: FieldError[]): void {
    if (!hasClusterIP(spec)) return;
    const first = spec.clusterIPs?.[0] || spec.clusterIP;
    if (first === NONE) {
      spec.clusterIP = NONE;
      spec.clusterIPs = [NONE];
      return;
    }
    if (first) {
      spec.clusterIP = first;
      spec.clusterIPs ??= [first];
      for (const wanted of spec.clusterIPs) this.#reserveAddress(wanted, spec, owner, dryRun, errors);
    }
    const addresses = first ? (spec.clusterIPs ?? []) : [];
    for (const family of (spec.ipFamilies ?? []).slice(addresses.length)) {
      addresses.push(this.#chooseAddress(family === 'IPv6', owner, dryRun));
    }
    spec.clusterIP = addresses[0] ?? '';
    spec.clusterIPs = addresses;
  }

  #chooseAddress(isV6: boolean, owner: string, dryRun: boolean): string {
    const chosen = this.#addresses.choose(({ first }) => first >= FIRST_V6 === isV6);
    if (chosen === undefined)
      throw apiError('InternalError', 'Internal error occurred: failed to allocate a serviceIP: range is full');
    if (!dryRun) this.#addresses.take(chosen, owner);
    return this.#numbers.text(chosen);
  }

  #reserveAddress(wanted: string, spec: ServiceSpec, owner: string, dryRun: boolean, errors: FieldError[]): void {
    const address = this.#numbers.of(wanted);
    // What is no address at all is for validation to say.
    if (address === undefined && isIP(wanted) === 0) return;
    const refuse = (why: string) =>
      errors.push(invalid('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${wanted}: ${why}`));
    if (address === undefined || !this.#addresses.includes(address)) {
      refuse(`the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${this.#rangesText()}`);
    } else if (dryRun ? !this.#addresses.isFreeFor(address, owner) : !this.#addresses.take(address, owner)) {
      refuse('provided IP is already allocated');
    }
  }

  /** @throws RangeError */
  #rangeOf(cidr: string): IpRange {
    const range = cidr.includes(':') ? this.#numbers.range(cidr) : parseIpRange(cidr);
    if (range === undefined) throw new RangeError(`${JSON.stringify(cidr)} is no range of addresses`);
    return range;
  }

  #rangesText(): string {
    return this.#ranges.map((range) => range.cidr).join(',') || 'none';
  }

  #allocatePorts(spec: ServiceSpec, owner: string, dryRun: boolean, errors: FieldError[]): void {
    const reserve = (port: number, field: string) => {
      if (!this.#ports.includes(port)) {
        const why = `provided port is not in the valid range. The range of valid ports is ${FIRST_NODE_PORT}-${LAST_NODE_PORT}`;
        errors.push(invalid(field, port, why));
      } else if (dryRun ? !this.#ports.isFreeFor(port, owner) : !this.#ports.take(port, owner)) {
        errors.push(invalid(field, port, 'provided port is already allocated'));
      }
    };
    const choose = (): number => {
      const port = this.#ports.choose();
      if (port === undefined)
        throw apiError('InternalError', 'Internal error occurred: failed to allocate a nodePort: range is full');
      if (!dryRun) this.#ports.take(port, owner);
      return port;
    };
    const wantsPorts =
      spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
      const ports = spec.ports ?? [];
      // Named ones first, so that a chosen one is never what another port of this service names.
      for (const [i, port] of ports.entries()) if (port.nodePort) reserve(port.nodePort, `spec.ports[${i}].nodePort`);
      for (const port of ports) {
        if (!port.nodePort && wantsPorts) {
          // The same port over another protocol has the same node port.
          const twin = ports.find((p) => p.nodePort && p.port === port.port && p.protocol !== port.protocol);
          port.nodePort = twin?.nodePort ?? choose();
        }
      }
    }
    if (spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local') {
      if (spec.healthCheckNodePort) reserve(spec.healthCheckNodePort, 'spec.healthCheckNodePort');
      else spec.healthCheckNodePort = choose();
    }
  }
}

function portsOf(spec: ServiceSpec): number[] {
  const ports = (spec.ports ?? []).map((p) => p.nodePort ?? 0);
  return [...new Set([...ports, spec.healthCheckNodePort ?? 0])].filter((p) => p !== 0);
}
