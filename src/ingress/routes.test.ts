import { describe, expect, it } from 'vitest';
import type { Ingress } from '../apis/networking/ingress.ts';
import { Routes } from './routes.ts';

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });
const ingress = (name: string, spec: Ingress['spec'], created = '2026-01-01T00:00:00Z'): Ingress => ({
  metadata: { name, namespace: 'default', creationTimestamp: created },
  spec: spec ?? {},
});
const path = (text: string, pathType: string, service: string) => ({ path: text, pathType, backend: backend(service) });

const ROUTES = new Routes([
  ingress('paths', {
    rules: [
      {
        host: 'a.example',
        http: {
          paths: [
            path('/', 'Prefix', 'root'),
            path('/foo', 'Prefix', 'foo'),
            path('/foo/bar/', 'Prefix', 'bar'),
            path('/foo', 'Exact', 'exactly'),
            path('/only', 'Exact', 'only'),
          ],
        },
      },
      { host: '*.example', http: { paths: [path('/', 'ImplementationSpecific', 'wild')] } },
    ],
  }),
  ingress(
    'older',
    { rules: [{ host: 'twice.test', http: { paths: [path('/', 'Prefix', 'older')] } }] },
    '2025-01-01T00:00:00Z',
  ),
  ingress('newer', { rules: [{ host: 'twice.test', http: { paths: [path('/', 'Prefix', 'newer')] } }] }),
  ingress('own', {
    defaultBackend: backend('own'),
    rules: [{ host: 'own.test', http: { paths: [path('/x', 'Prefix', 'x')] } }],
  }),
  ingress('fallback', { defaultBackend: backend('fallback') }),
]);

describe('a request', () => {
  it.each([
    ['a.example', '/', 'root'],
    ['A.EXAMPLE:8080', '/', 'root'],
    ['a.example', '/else?foo', 'root'],
    ['a.example', '/foo', 'exactly'],
    ['a.example', '/foo?x=1', 'exactly'],
    ['a.example', '/foo/', 'foo'],
    ['a.example', '/foobar', 'root'],
    ['a.example', '/foo/bar', 'bar'],
    ['a.example', '/foo/bar/baz', 'bar'],
    ['a.example', '/only', 'only'],
    ['a.example', '/only/', 'root'],
    ['b.example', '/', 'wild'],
    ['c.b.example', '/', 'fallback'],
    ['twice.test', '/', 'older'],
    ['own.test', '/x', 'x'],
    ['own.test', '/y', 'own'],
    ['elsewhere', '/', 'fallback'],
  ])('for %s%s goes to %s', (host, url, service) => {
    expect(ROUTES.find(host, url)).toEqual({ namespace: 'default', service, port: 80 });
  });

  it('goes nowhere where nothing is said', () => {
    expect(new Routes([]).find('a', '/')).toBeUndefined();
  });
});
