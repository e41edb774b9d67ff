import { expect, test } from 'vitest';
import type { RawAnswer } from './answer.ts';
import type { RequestContext } from './context.ts';
import { healthHandlers } from './health.ts';
import { overHttp } from './testing/overHttp.ts';
import { startTestServer } from './testing/testServer.ts';

const good = (name: string) => ({ name, async check() {} });
const bad = {
  name: 'bad',
  async check() {
    throw new Error('the disk is full');
  },
};
const handlers = healthHandlers({
  healthz: [good('ping')],
  livez: [good('ping'), good('etcd')],
  readyz: [good('ping'), bad],
});
async function ask(path: string) {
  const [at = '', query = ''] = path.split('?');
  const answer = (await handlers.get(at)?.({ query: new URLSearchParams(query) } as RequestContext)) as RawAnswer;
  return { status: answer.status, text: answer.body.toString() };
}

test.each([
  ['/livez', 200, 'ok'],
  ['/livez?verbose', 200, '[+]ping ok\n[+]etcd ok\nlivez check passed\n'],
  ['/livez?verbose&exclude=etcd', 200, '[+]ping ok\n[+]etcd excluded: ok\nlivez check passed\n'],
  [
    '/livez?verbose&exclude=none&exclude=ping',
    200,
    '[+]ping excluded: ok\n[+]etcd ok\nwarn: some health checks cannot be excluded: no matches for "none"\nlivez check passed\n',
  ],
  ['/readyz', 500, '[+]ping ok\n[-]bad failed: reason withheld\nreadyz check failed\n'],
  ['/readyz?exclude=bad', 200, 'ok'],
  ['/readyz/bad', 500, 'internal server error: the disk is full\n'],
  ['/livez/ping', 200, 'ok'],
  ['/livez/ping?verbose', 200, 'ok'],
])('%s', async (path, status, text) => {
  expect(await ask(path)).toEqual({ status, text });
});

test('over HTTP', async () => {
  const server = await startTestServer();
  try {
    const { get } = await overHttp(server);
    expect((await get('/readyz?verbose')).text).toBe('[+]ping ok\n[+]etcd ok\n[+]shutdown ok\nreadyz check passed\n');
    for (const path of ['/healthz', '/livez', '/readyz', '/healthz/ping', '/livez/ping', '/readyz/etcd']) {
      expect((await get(path)).text).toBe('ok');
    }
    expect((await get('/livez/none')).status).toBe(404);
    expect((await get('/livez')).headers['content-type']).toBe('text/plain; charset=utf-8');
    expect((await get('/version')).json).toMatchObject({
      major: '1',
      minor: '36',
      gitVersion: expect.stringMatching(/^v1\.36\./),
    });
  } finally {
    await server.stop();
  }
});
