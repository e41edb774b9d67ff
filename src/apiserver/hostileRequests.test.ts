/** Whatever is sent, the answer is one that Kubernetes could give: no failure of ours, and the server goes on. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtinKinds } from '../apis/registry.ts';
import { apiVersionOf } from '../machinery/kind.ts';
import { http, startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;
let port: number;
beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const word = fc.oneof(
  fc.constantFrom(
    'default',
    'kubernetes',
    'x',
    '',
    '.',
    '..',
    'status',
    'scale',
    'log',
    'exec',
    'proxy',
    'binding',
    'token',
  ),
  fc.constantFrom(
    '%2e%2e',
    '%2F',
    '%00',
    'a%20b',
    '%E2%82%AC',
    'namespaces',
    'watch',
    'system:x',
    '__proto__',
    'constructor',
  ),
);
const kind = fc.constantFrom(...builtinKinds);
const path = fc.oneof(
  fc.tuple(kind, word, word, word).map(([k, namespace, name, sub]) => {
    const base = k.group === '' ? `/api/${k.version}` : `/apis/${k.group}/${k.version}`;
    const rest = [k.namespaced ? `namespaces/${namespace}/${k.plural}` : k.plural, name, sub].filter(
      (part) => part !== '',
    );
    return `${base}/${rest.join('/')}`;
  }),
  fc.array(word, { maxLength: 8 }).map((words) => `/${words.join('/')}`),
);
const value = fc.oneof(
  word,
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '1e9',
    'true',
    'null',
    '99999999999999999999',
    'a=b',
    'a in (',
    'metadata.name=x',
    'Exact',
    'All',
  ),
);
const query = fc.dictionary(
  fc.constantFrom(
    ...[
      'watch',
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'labelSelector',
      'fieldSelector',
      'dryRun',
    ],
    ...['fieldValidation', 'pretty', 'sendInitialEvents', 'allowWatchBookmarks', 'fieldManager', 'propagationPolicy'],
    ...['gracePeriodSeconds', 'includeObject', 'container', 'tailLines', 'command', 'ports', 'orphanDependents'],
  ),
  value,
  { maxKeys: 4 },
);
const headers = fc.record(
  {
    accept: fc.constantFrom(
      ...['*/*', 'application/json', 'application/yaml', 'text/html', ';;,', 'application/vnd.kubernetes.protobuf'],
      ...[
        'application/json;as=Table;v=v1;g=meta.k8s.io',
        'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      ],
    ),
    'content-type': fc.constantFrom(
      ...['application/json', 'application/yaml', 'text/plain', '', 'application/vnd.kubernetes.protobuf'],
      ...['application/merge-patch+json', 'application/json-patch+json', 'application/strategic-merge-patch+json'],
    ),
    'accept-encoding': fc.constantFrom('gzip', 'br', '*'),
    'impersonate-user': fc.constantFrom('', 'x', 'system:serviceaccount:default:default'),
  },
  { requiredKeys: [] },
);
const body = fc.oneof(
  fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '0',
    '[{"op":"remove","path":"/metadata"}]',
    '[{"op":"replace","path":"","value":1}]',
  ),
  fc.json(),
  fc.string(),
  fc.tuple(kind, fc.object({ maxDepth: 3 }), fc.object({ maxDepth: 3 })).map(([k, metadata, rest]) =>
    JSON.stringify({
      ...rest,
      spec: rest,
      metadata: { name: 'x', ...metadata },
      apiVersion: apiVersionOf(k),
      kind: k.kind,
    }),
  ),
  fc.object({ maxDepth: 4 }).map((spec) => JSON.stringify({ spec, metadata: spec })),
);

test('no request makes the server fail', async () => {
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS');
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (m, p, q, h, b) => {
      // A watch would go on; that it starts is enough.
      const search = new URLSearchParams({ ...q, ...('watch' in q ? { timeoutSeconds: '1' } : {}) });
      if (p.includes('/watch') || 'watch' in q) search.set('resourceVersion', 'x');
      const withBody = m === 'GET' || m === 'HEAD' ? {} : { body: b };
      const answer = await http(server, port, `${p}?${search}`, { method: m, headers: h, ...withBody });
      expect(answer.status, answer.text).toBeLessThan(600);
      if (answer.status === 500) expect(answer.json?.reason, answer.text).not.toBe('InternalError');
      if (answer.status >= 400 && m !== 'HEAD' && answer.json?.kind !== undefined) {
        expect(answer.json).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.status });
      }
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
  );
  expect((await http(server, port, '/readyz')).status).toBe(200);
});
