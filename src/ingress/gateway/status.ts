/** What is told of gateway classes, gateways and routes. Pure. */

import type { Condition } from '../../machinery/meta.ts';
import { formatTime } from '../../machinery/time.ts';
import { type GatewayStatus, GROUP, type HTTPRoute, type RouteParentStatus } from './kinds.ts';
import type { PlannedGateway, PlannedParent, Told } from './plan.ts';

/** As classes name it. */
export const GATEWAY_CONTROLLER = 'kubets.io/gateway';

/** Conditions keep the time of their last change. @param now ms since the epoch */
export function conditionsOf(
  wanted: readonly Told[],
  before: readonly Condition[] | undefined,
  generation: number | undefined,
  now: number,
): Condition[] {
  return wanted.map((one) => {
    const old = before?.find(({ type }) => type === one.type);
    return {
      ...one,
      lastTransitionTime: old?.status === one.status ? old.lastTransitionTime : formatTime(now),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
}

/** @param addresses under which the gateway is reached; none yet: it is not programmed */
export function gatewayStatus(
  { gateway, listeners }: PlannedGateway,
  addresses: readonly string[],
  now: number,
): GatewayStatus {
  const { status, metadata } = gateway;
  const { generation } = metadata ?? {};
  const serves = listeners.some((listener) => listener.serves);
  const all = listeners.every((listener) => listener.serves);
  const conditions: Told[] = [
    {
      type: 'Accepted',
      status: serves ? 'True' : 'False',
      reason: all ? 'Accepted' : 'ListenersNotValid',
      message: all ? '' : 'a listener is not served; its own conditions say why',
    },
    addresses.length > 0 && serves
      ? { type: 'Programmed', status: 'True', reason: 'Programmed', message: '' }
      : { type: 'Programmed', status: 'False', reason: serves ? 'AddressNotAssigned' : 'Invalid', message: '' },
  ];
  return {
    addresses: addresses.map((value) => ({ type: 'IPAddress', value })),
    conditions: conditionsOf(conditions, status?.conditions, generation, now),
    listeners: listeners.map(({ listener: { name }, takesRoutes, conditions: own, routes }) => ({
      name,
      supportedKinds: takesRoutes ? [{ group: GROUP, kind: 'HTTPRoute' }] : [],
      attachedRoutes: routes.length,
      conditions: conditionsOf(own, status?.listeners?.find((one) => one.name === name)?.conditions, generation, now),
    })),
  };
}

/** What other controllers tell of the route stays. */
export function routeParents(
  { status, metadata }: HTTPRoute,
  planned: readonly PlannedParent[],
  now: number,
): RouteParentStatus[] {
  const others = (status?.parents ?? []).filter(({ controllerName }) => controllerName !== GATEWAY_CONTROLLER);
  const mine = planned.map(({ parentRef, conditions }): RouteParentStatus => {
    const before = status?.parents?.find(
      (one) => one.controllerName === GATEWAY_CONTROLLER && sameParent(one.parentRef, parentRef),
    );
    return {
      parentRef,
      controllerName: GATEWAY_CONTROLLER,
      conditions: conditionsOf(conditions, before?.conditions, metadata?.generation, now),
    };
  });
  return [...others, ...mine];
}

function sameParent(a: RouteParentStatus['parentRef'], b: RouteParentStatus['parentRef']): boolean {
  return a.name === b.name && a.namespace === b.namespace && a.sectionName === b.sectionName && a.port === b.port;
}
