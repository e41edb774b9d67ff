/**
 * Gives services of type LoadBalancer an address from the cluster's own range; the proxy of each node answers on it.
 * Services of another load balancer's class are left to that.
 *
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
 */
import { type Service, services } from '../apis/core/service.ts';
import { keyOf } from '../client/store.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { type EventAction, statusUpdate } from './action.ts';
import type { ControllerContext } from './context.ts';
import { type Plan, startLoop } from './loop.ts';

/** @param range IPv4, in CIDR notation: `10.196.0.0/24` */
export function startLoadBalancerController(context: ControllerContext, range: string): void {
  const informer = context.informers.of(services);
  /** what was given just now, before the API tells of it */
  const given = new Map<string, string>();
  const loop = startLoop({
    name: 'service-controller',
    context,
    reads: [informer],
    workers: 1,
    plan(key) {
      const service = informer.byKey(key);
      if (service === undefined || !wantsAddress(service)) {
        given.delete(key);
        return undefined;
      }
      const taken = new Set<string>();
      for (const [other, ip] of given) if (other !== key) taken.add(ip);
      for (const other of informer.list()) if (other !== service) for (const ip of addressesOf(other)) taken.add(ip);
      const plan = planBalancer(service, range, taken, given.get(key));
      if (plan.ip !== undefined) given.set(key, plan.ip);
      return plan;
    },
  });
  const changed = (service: Stored<Service>) => loop.enqueue(keyOf(service));
  informer.handle({
    onAdd: changed,
    onUpdate: changed,
    onDelete(service) {
      changed(service);
      // An address is free: somebody may wait for one.
      for (const other of informer.list()) if (wantsAddress(other) && addressesOf(other).length === 0) changed(other);
    },
  });
}

const wantsAddress = ({ spec, metadata }: Stored<Service>) =>
  spec?.type === 'LoadBalancer' && spec.loadBalancerClass === undefined && metadata.deletionTimestamp === undefined;

function addressesOf({ status }: Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}

/**
 * Pure.
 * @param taken by other services
 * @param preferred an address that it was given before
 */
export function planBalancer(
  service: Stored<Service>,
  range: string,
  taken: ReadonlySet<string>,
  preferred?: string,
): Plan & { readonly ip?: string } {
  const [current] = addressesOf(service);
  const wished = service.spec?.loadBalancerIP;
  const fits = (ip: string | undefined) => ip !== undefined && isWithin(ip, range) && !taken.has(ip);
  if (current !== undefined && fits(current) && (!wished || wished === current)) return { actions: [], ip: current };
  const event = (type: EventAction['type'], reason: string, message: string): EventAction => {
    return { verb: 'event', regarding: service, type, reason, message };
  };
  if (wished && !fits(wished)) {
    const message = `Error syncing load balancer: the address ${wished} is ${isWithin(wished, range) ? 'taken' : `not in the range ${range}`}`;
    return { actions: [event('Warning', 'SyncLoadBalancerFailed', message)] };
  }
  const ip = wished || (fits(preferred) ? preferred : firstFree(range, taken));
  if (ip === undefined) {
    const message = `Error syncing load balancer: all addresses of the range ${range} are taken`;
    return { actions: [event('Warning', 'SyncLoadBalancerFailed', message)] };
  }
  const status = { ...service.status, loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } };
  const balanced: Service = { ...service, status };
  return {
    ip,
    actions: [
      event('Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer'),
      statusUpdate(services as Kind, balanced),
      event('Normal', 'EnsuredLoadBalancer', 'Ensured load balancer'),
    ],
  };
}

/** The first and the last address of a range stand for the range itself. */
function firstFree(range: string, taken: ReadonlySet<string>): string | undefined {
  const { first, count } = boundsOf(range);
  for (let i = 1; i < count - 1; i++) {
    const ip = formatIPv4(first + i);
    if (!taken.has(ip)) return ip;
  }
  return undefined;
}

function isWithin(ip: string, range: string): boolean {
  const number = parseIPv4(ip);
  const { first, count } = boundsOf(range);
  return number !== undefined && number >= first && number < first + count;
}

function boundsOf(range: string): { first: number; count: number } {
  const [address = '', bits = '32'] = range.split('/');
  const count = 2 ** (32 - Number(bits));
  return { first: Math.floor((parseIPv4(address) ?? 0) / count) * count, count };
}

function parseIPv4(ip: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(ip)) return undefined;
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

const formatIPv4 = (number: number) => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
