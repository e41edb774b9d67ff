import { describe, expect, test } from 'vitest';
import { requestInfo } from './route.ts';

const info = (method: string, url: string) => {
  const [path = '', query = ''] = url.split('?');
  return requestInfo(method, path, new URLSearchParams(query));
};

describe('route', () => {
  test.each([
    ['GET', '/api/v1/pods', { verb: 'list', resource: 'pods', namespace: undefined, name: '' }],
    ['GET', '/api/v1/pods?watch=true', { verb: 'watch', resource: 'pods' }],
    ['GET', '/api/v1/pods?watch', { verb: 'watch' }],
    ['GET', '/api/v1/pods?watch=0', { verb: 'list' }],
    ['GET', '/api/v1/pods?watch=False', { verb: 'list' }],
    ['GET', '/api/v1/watch/namespaces/a/pods', { verb: 'watch', resource: 'pods', namespace: 'a' }],
    ['GET', '/api/v1/watch/namespaces/a/pods/b', { verb: 'watch', namespace: 'a', name: 'b' }],
    ['HEAD', '/api/v1/namespaces/a/pods/b', { verb: 'get', namespace: 'a', name: 'b' }],
    ['GET', '/api/v1/namespaces/a/pods/b?watch=1', { verb: 'watch', name: 'b' }],
    ['POST', '/apis/apps/v1/namespaces/a/deployments', { verb: 'create', group: 'apps', version: 'v1', name: '' }],
    ['PUT', '/apis/apps/v1/namespaces/a/deployments/d/scale', { verb: 'update', subresource: 'scale', name: 'd' }],
    [
      'PATCH',
      '/api/v1/nodes/n/status',
      { verb: 'patch', resource: 'nodes', subresource: 'status', namespace: undefined },
    ],
    ['DELETE', '/api/v1/namespaces/a/pods', { verb: 'deletecollection', resource: 'pods', namespace: 'a' }],
    ['DELETE', '/api/v1/namespaces/a', { verb: 'delete', resource: 'namespaces', name: 'a', namespace: undefined }],
    ['GET', '/api/v1/namespaces', { verb: 'list', resource: 'namespaces', namespace: undefined }],
    ['PUT', '/api/v1/namespaces/a/finalize', { resource: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['GET', '/api/v1/namespaces/a/status', { resource: 'namespaces', name: 'a', subresource: 'status' }],
    [
      'GET',
      '/api/v1/namespaces/a/services/s:80/proxy/x/y%2Fz',
      { name: 's:80', subresource: 'proxy', rest: 'x/y%2Fz' },
    ],
    ['GET', '/api/v1', { verb: 'get', isResource: false, path: '/api/v1' }],
    ['GET', '/apis/apps/v1/', { isResource: false }],
    ['POST', '/healthz', { verb: 'post', isResource: false }],
    ['GET', '/api/v1/namespaces/a/pods/b/log/c', { isResource: false }],
    ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', { name: 'system:node' }],
  ])('%s %s', (method, url, expected) => {
    expect(info(method, url)).toMatchObject(expected);
  });

  test.each([
    '/api/v1/nodes/..',
    '/api/v1/nodes/%2e',
    '/api/v1/nodes/a%2Fb',
    '/api/v1/nodes/a%2525b',
    '/api/v1/nodes/a%00',
  ])('%s is nowhere', (path) => {
    expect(() => info('GET', path)).toThrow(/could not find/);
  });

  test('broken escapes are told', () => {
    expect(() => info('GET', '/api/v1/nodes/%E0%A4%A')).toThrow(/escaped/);
  });
});
