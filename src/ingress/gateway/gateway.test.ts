import { describe, expect, it } from 'vitest';
import type { Service } from '../../apis/core/service.ts';
import { SeededRandom } from '../../lib/random.ts';
import type { Asked, Decision } from '../decision.ts';
import { type Backends, PortRoutes } from './decide.ts';
import { commonHostnames } from './hostnames.ts';
import type { Gateway, HTTPRoute, Listener, ParentReference, ReferenceGrant, RouteRule } from './kinds.ts';
import { attachRoute, planGateway } from './plan.ts';
import { gatewayStatus, routeParents } from './status.ts';

const gatewayOf = (...listeners: Partial<Listener>[]): Gateway => ({
  metadata: { name: 'gate', namespace: 'web', generation: 3 },
  spec: {
    gatewayClassName: 'kubets',
    listeners: listeners.map((one, i) => ({ name: `l${i}`, port: 80, protocol: 'HTTP', ...one })),
  },
});

const routeOf = (
  rules: RouteRule[],
  {
    hostnames,
    name = 'route',
    namespace = 'web',
    parent = {},
  }: {
    hostnames?: string[];
    name?: string;
    namespace?: string;
    parent?: Partial<ParentReference>;
  } = {},
): HTTPRoute => ({
  metadata: { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: {
    parentRefs: [{ name: 'gate', namespace: 'web', ...parent }],
    rules,
    ...(hostnames === undefined ? {} : { hostnames }),
  },
});

const to = (name: string, more: object = {}): RouteRule => ({ backendRefs: [{ name, port: 80, ...more }] });

/** Every service of the namespaces `web` and `other` is there; its address says which one it is. */
function surroundings(grants: ReferenceGrant[] = []): Backends {
  const service: Service = { spec: { ports: [{ port: 80 }] } };
  return {
    grants,
    labelsOf: (namespace) => ({ team: namespace }),
    service: (_namespace, name) => (name === 'absent' ? undefined : service),
    certificate: (_namespace, name) => (name === 'tls' ? { cert: 'C', key: 'K' } : undefined),
    addresses: (_namespace, name) => [{ host: name, port: 80 }],
  };
}

function decide(
  routes: HTTPRoute[],
  asked: Partial<Asked>,
  gateway = gatewayOf({}),
  around = surroundings(),
): Decision {
  const plan = planGateway(gateway, around);
  for (const route of routes) attachRoute(route, [plan], around);
  const port = new PortRoutes(
    plan.listeners[0]?.listener.port ?? 0,
    plan.listeners.filter(({ serves }) => serves),
  );
  const request: Asked = { protocol: 'http', host: 'a.test', url: '/', method: 'GET', headers: {}, ...asked };
  return port.decide(request, around, new SeededRandom(1));
}

const whom = (decision: Decision) =>
  decision.to === 'backends' ? decision.addresses.map(({ host }) => host).join() : decision;

describe('the names that a listener and a route have in common', () => {
  it.each([
    [undefined, undefined, ['']],
    [undefined, ['a.test'], ['a.test']],
    ['a.test', undefined, ['a.test']],
    ['*.test', ['a.test', 'b.other'], ['a.test']],
    ['a.test', ['*.test'], ['a.test']],
    ['*.a.test', ['*.test'], ['*.a.test']],
    ['*.test', ['test'], []],
    ['a.test', ['b.test'], []],
    ['*.test', ['x.y.test'], ['x.y.test']],
  ])('%s and %j: %j', (listener, route, common) => expect(commonHostnames(listener, route)).toEqual(common));
});

describe('a request', () => {
  const path = (type: string, value: string, name: string, more: object = {}): RouteRule => ({
    ...to(name),
    matches: [{ path: { type, value }, ...more }],
  });
  const rules = [
    path('PathPrefix', '/', 'all'),
    path('PathPrefix', '/foo', 'prefix'),
    path('PathPrefix', '/foo/bar', 'longer'),
    path('Exact', '/foo/bar', 'exact'),
    path('RegularExpression', '/v[0-9]+/.*', 'expression'),
    path('PathPrefix', '/foo', 'posted', { method: 'POST' }),
    path('PathPrefix', '/foo', 'header', { headers: [{ name: 'Version', value: '2' }] }),
    path('PathPrefix', '/foo', 'query', { queryParams: [{ name: 'q', value: '1' }] }),
  ];
  it.each<[Partial<Asked>, string]>([
    [{ url: '/' }, 'all'],
    [{ url: '/foobar' }, 'all'],
    [{ url: '/foo' }, 'prefix'],
    [{ url: '/foo/' }, 'prefix'],
    [{ url: '/foo/bar/x' }, 'longer'],
    [{ url: '/foo/bar?x' }, 'exact'],
    [{ url: '/v12/x' }, 'expression'],
    [{ url: '/foo', method: 'POST', headers: { version: '2' } }, 'posted'],
    [{ url: '/foo', headers: { version: '2' } }, 'header'],
    [{ url: '/foo?q=1', headers: { version: '2' } }, 'header'],
    [{ url: '/foo?q=1' }, 'query'],
    [{ url: '/foo?q=2' }, 'prefix'],
  ])('%j goes to %s', (asked, name) => expect(whom(decide([routeOf(rules)], asked))).toBe(name));

  it('is taken by the route with the best name', () => {
    const routes = [
      routeOf([to('wild')], { hostnames: ['*.test'], name: 'a' }),
      routeOf([to('own')], { hostnames: ['a.test'], name: 'b' }),
      routeOf([to('any')], { name: 'c' }),
    ];
    const at = (host: string) => whom(decide(routes, { host }));
    expect([at('a.test:8080'), at('B.test'), at('x.b.test'), at('other')]).toEqual(['own', 'wild', 'wild', 'any']);
  });

  it('goes to backends by their weight, and to none of weight 0', () => {
    const rule = {
      backendRefs: [
        { name: 'a', port: 80, weight: 3 },
        { name: 'b', port: 80 },
        { name: 'c', port: 80, weight: 0 },
      ],
    };
    const around = surroundings();
    const plan = planGateway(gatewayOf({}), around);
    attachRoute(routeOf([rule]), [plan], around);
    const [port, random] = [new PortRoutes(80, plan.listeners), new SeededRandom(7)];
    const counts: Record<string, number> = {};
    for (let i = 0; i < 1000; i++) {
      const name = String(
        whom(port.decide({ protocol: 'http', host: 'x', url: '/', method: 'GET', headers: {} }, around, random)),
      );
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts.c).toBeUndefined();
    expect((counts.a ?? 0) / (counts.b ?? 1)).toBeGreaterThan(2.4);
    expect((counts.a ?? 0) / (counts.b ?? 1)).toBeLessThan(3.7);
  });

  it.each<[string, RouteRule, Decision]>([
    ['a service that is absent', to('absent'), { to: 'refuse', status: 500 }],
    ['no backend', {}, { to: 'refuse', status: 500 }],
    ['another namespace, ungranted', to('x', { namespace: 'other' }), { to: 'refuse', status: 500 }],
    ['a kind that is none', to('x', { kind: 'Bucket', group: 'example.com' }), { to: 'refuse', status: 500 }],
  ])('to %s is refused', (_what, rule, decision) => expect(decide([routeOf([rule])], {})).toEqual(decision));

  it.each<[NonNullable<RouteRule['filters']>[number]['requestRedirect'], string, string]>([
    [{ scheme: 'https' }, '/x?y', 'https://a.test/x?y'],
    [{ hostname: 'b.test' }, '/x', 'http://b.test:8080/x'],
    [{ port: 8443, scheme: 'https' }, '/', 'https://a.test:8443/'],
    [{ path: { type: 'ReplaceFullPath', replaceFullPath: '/z' } }, '/old/x?q', 'http://a.test:8080/z?q'],
    [{ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } }, '/old/x', 'http://a.test:8080/new/x'],
    [{ path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } }, '/old', 'http://a.test:8080/'],
  ])('is redirected by %j: %s to %s', (requestRedirect, url, location) => {
    const value = url.startsWith('/old') ? '/old' : '/';
    const rule: RouteRule = {
      matches: [{ path: { type: 'PathPrefix', value } }],
      filters: [{ type: 'RequestRedirect', requestRedirect: requestRedirect ?? {} }],
    };
    const decision = decide([routeOf([rule])], { url, host: 'a.test:8080' }, gatewayOf({ port: 8080 }));
    expect(decision).toEqual({ to: 'redirect', status: 302, location });
  });

  it('is changed on its way', () => {
    const filters: RouteRule['filters'] = [
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'X-A', value: '1' }], remove: ['X-B'] } },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'X-C', value: '2' }] } },
      {
        type: 'URLRewrite',
        urlRewrite: { hostname: 'in', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
      },
      { type: 'RequestMirror', requestMirror: { backendRef: { name: 'copy', port: 80 } } },
    ];
    const rule = {
      ...to('a'),
      matches: [{ path: { value: '/old' } }],
      filters,
      timeouts: { request: '10s', backendRequest: '2s' },
    };
    expect(decide([routeOf([rule])], { url: '/old/x?q' })).toEqual({
      to: 'backends',
      addresses: [{ host: 'a', port: 80 }],
      url: '/x?q',
      host: 'in',
      requestHeaders: [{ set: [{ name: 'x-a', value: '1' }], add: [], remove: ['x-b'] }],
      answerHeaders: [{ set: [], add: [{ name: 'x-c', value: '2' }], remove: [] }],
      mirrors: [{ host: 'copy', port: 80 }],
      timeoutMs: 2000,
    });
  });
});

describe('what is told', () => {
  const conditionsOf = (route: HTTPRoute, gateway = gatewayOf({}), around = surroundings()) =>
    attachRoute(route, [planGateway(gateway, around)], around)[0]?.conditions.map(
      ({ type, status, reason }) => `${type}=${status} ${reason}`,
    );
  const accepted = 'Accepted=True Accepted';
  const resolved = 'ResolvedRefs=True ResolvedRefs';
  const all = { namespaces: { from: 'All' } };
  const some = { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'other' } } } };

  it.each<[string, HTTPRoute, Gateway, string[] | undefined]>([
    ['a good one', routeOf([to('a')]), gatewayOf({}), [accepted, resolved]],
    ['another gateway', routeOf([], { parent: { name: 'x' } }), gatewayOf({}), undefined],
    [
      'no such listener',
      routeOf([], { parent: { sectionName: 'x' } }),
      gatewayOf({}),
      ['Accepted=False NoMatchingParent', resolved],
    ],
    [
      'no such port',
      routeOf([], { parent: { port: 81 } }),
      gatewayOf({}),
      ['Accepted=False NoMatchingParent', resolved],
    ],
    [
      'another namespace',
      routeOf([], { namespace: 'other' }),
      gatewayOf({}),
      ['Accepted=False NotAllowedByListeners', resolved],
    ],
    [
      'another namespace, for all',
      routeOf([], { namespace: 'other' }),
      gatewayOf({ allowedRoutes: all }),
      [accepted, resolved],
    ],
    [
      'another namespace, by its labels',
      routeOf([], { namespace: 'other' }),
      gatewayOf({ allowedRoutes: some }),
      [accepted, resolved],
    ],
    [
      'other labels',
      routeOf([], { namespace: 'third' }),
      gatewayOf({ allowedRoutes: some }),
      ['Accepted=False NotAllowedByListeners', resolved],
    ],
    [
      'another name',
      routeOf([], { hostnames: ['b.test'] }),
      gatewayOf({ hostname: 'a.test' }),
      ['Accepted=False NoMatchingListenerHostname', resolved],
    ],
    ['an absent backend', routeOf([to('absent')]), gatewayOf({}), [accepted, 'ResolvedRefs=False BackendNotFound']],
    [
      'a foreign backend',
      routeOf([to('a', { namespace: 'other' })]),
      gatewayOf({}),
      [accepted, 'ResolvedRefs=False RefNotPermitted'],
    ],
    [
      'a backend of no kind',
      routeOf([to('a', { kind: 'X' })]),
      gatewayOf({}),
      [accepted, 'ResolvedRefs=False InvalidKind'],
    ],
    [
      'an unknown filter',
      routeOf([{ ...to('a'), filters: [{ type: 'ExtensionRef' }] }]),
      gatewayOf({}),
      ['Accepted=False UnsupportedValue', resolved],
    ],
  ])('of a route: %s', (_what, route, gateway, conditions) => expect(conditionsOf(route, gateway)).toEqual(conditions));

  it('a grant lets backends of another namespace be used', () => {
    const grant = (name?: string): ReferenceGrant => ({
      metadata: { name: 'g', namespace: 'other' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'web' }],
        to: [{ group: '', kind: 'Service', ...(name === undefined ? {} : { name }) }],
      },
    });
    const route = routeOf([to('a', { namespace: 'other' })]);
    expect(conditionsOf(route, gatewayOf({}), surroundings([grant()]))).toEqual([accepted, resolved]);
    expect(conditionsOf(route, gatewayOf({}), surroundings([grant('b')]))?.[1]).toContain('RefNotPermitted');
    expect(whom(decide([route], {}, gatewayOf({}), surroundings([grant('a')])))).toBe('a');
  });

  it.each<[string, Partial<Listener>[], string[]]>([
    ['HTTP', [{}], ['Accepted', 'Programmed', 'NoConflicts', 'ResolvedRefs']],
    ['TCP', [{ protocol: 'TCP' }], ['UnsupportedProtocol', 'Invalid', 'NoConflicts', 'ResolvedRefs']],
    [
      'HTTPS',
      [{ protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'tls' }] } }],
      ['Accepted', 'Programmed', 'NoConflicts', 'ResolvedRefs'],
    ],
    [
      'HTTPS without a secret',
      [{ protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'none' }] } }],
      ['Accepted', 'Invalid', 'NoConflicts', 'InvalidCertificateRef'],
    ],
    [
      'a foreign secret',
      [{ protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'tls', namespace: 'other' }] } }],
      ['Accepted', 'Invalid', 'NoConflicts', 'RefNotPermitted'],
    ],
    [
      'other routes',
      [{ allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }],
      ['Accepted', 'Programmed', 'NoConflicts', 'InvalidRouteKinds'],
    ],
    ['two of one name', [{}, {}], ['HostnameConflict', 'Invalid', 'HostnameConflict', 'ResolvedRefs']],
    [
      'two protocols',
      [{}, { protocol: 'HTTPS', hostname: 'a.test', tls: { certificateRefs: [{ name: 'tls' }] } }],
      ['ProtocolConflict', 'Invalid', 'ProtocolConflict', 'ResolvedRefs'],
    ],
  ])('of a listener: %s', (_what, listeners, reasons) => {
    const last = planGateway(gatewayOf(...listeners), surroundings()).listeners.at(-1);
    expect(last?.conditions.map(({ reason }) => reason)).toEqual(reasons);
  });

  it('keeps the time of what did not change, and what others told', () => {
    const plan = planGateway(gatewayOf({}), surroundings());
    const first = gatewayStatus(plan, [], 1_000);
    expect(first.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ['Accepted', 'True', 'Accepted'],
      ['Programmed', 'False', 'AddressNotAssigned'],
    ]);
    const told = { ...plan, gateway: { ...plan.gateway, status: first } };
    const second = gatewayStatus(told, ['192.0.2.1'], 61_000);
    expect(second.conditions?.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
      '1970-01-01T00:00:01Z',
      '1970-01-01T00:01:01Z',
    ]);
    const other = { parentRef: { name: 'x' }, controllerName: 'example.com/other', conditions: [] };
    const route = { ...routeOf([]), status: { parents: [other] } };
    expect(routeParents(route, [], 0)).toEqual([other]);
  });
});
