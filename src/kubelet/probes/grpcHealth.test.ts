import { Server, ServerCredentials, type ServiceDefinition, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { SystemClock } from '../../lib/clock.ts';
import { grpcHealth } from './grpcHealth.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.forceShutdown();
});
const clock = new SystemClock();

type Answer = (service: string, done: sendUnaryData<Buffer>) => void;

/** Where a server listens that answers health checks so; absent: it does not know of them. */
async function listen(answer?: Answer): Promise<string> {
  const server = new Server();
  servers.push(server);
  const same = (bytes: Buffer) => bytes;
  const definition: ServiceDefinition = {
    Check: {
      path: '/grpc.health.v1.Health/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
  if (answer !== undefined) {
    // A request is one field: its tag, its length, its text.
    const Check = (call: { request: Buffer }, done: sendUnaryData<Buffer>) =>
      answer(call.request.subarray(2).toString(), done);
    server.addService(definition, { Check });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return `127.0.0.1:${port}`;
}

const health = (address: string, service = '', timeoutMs = 5_000) =>
  grpcHealth(address, service, clock.now() + timeoutMs);
const saying =
  (number: number): Answer =>
  (_service, done) =>
    done(null, Buffer.from([0x08, number]));

it('is good where the service serves', async () => {
  expect(await health(await listen(saying(1)))).toEqual({ ok: true, message: '' });
});

it('asks for the service that is meant', async () => {
  const address = await listen((service, done) => done(null, Buffer.from([0x08, service === 'mine' ? 1 : 3])));
  expect((await health(address, 'mine')).ok).toBe(true);
  expect((await health(address, 'other')).message).toBe('service unhealthy (responded with "SERVICE_UNKNOWN")');
});

it.each<[string, Answer | undefined, string]>([
  ['it says no', saying(2), 'service unhealthy (responded with "NOT_SERVING")'],
  ['it says nothing', (_service, done) => done(null, Buffer.alloc(0)), 'service unhealthy (responded with "UNKNOWN")'],
  ['it knows nothing of health', undefined, 'error: this server does not implement the grpc health protocol'],
  [
    'it fails',
    (_service, done) => done({ code: status.NOT_FOUND, details: 'who?' }),
    'error: health rpc probe failed: who?',
  ],
])('is bad where %s', async (_what, answer, message) => {
  const result = await health(await listen(answer));
  expect(result.ok).toBe(false);
  expect(result.message).toContain(message);
});

it('is bad where no answer comes in time, or nobody listens', async () => {
  const silent = await health(await listen(() => {}), '', 200);
  expect(silent.message).toMatch(/^timeout: health rpc did not complete in time: /);
  const address = await listen();
  for (const server of servers.splice(0)) server.forceShutdown();
  expect((await health(address, '', 2_000)).message).toMatch(/^error: health rpc probe failed: .*ECONNREFUSED/);
});
