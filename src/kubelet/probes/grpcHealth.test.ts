import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemClock } from '../../lib/clock.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { container } from '../testing/observedPods.ts';
import { perform } from './actions.ts';

/** Answers by the name of the service: bytes of a HealthCheckResponse, or an error. */
const ANSWERS: Readonly<Record<string, number>> = { '': 1, ready: 1, sick: 2 };
const raw = (value: Buffer) => value;
const server = new Server();
let port = 0;

beforeAll(async () => {
  const check = {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestDeserialize: raw,
    requestSerialize: raw,
    responseDeserialize: raw,
    responseSerialize: raw,
  };
  server.addService(
    { check },
    {
      check: ({ request }: { request: Buffer }, answer: (error: object | null, value?: Buffer) => void) => {
        // Field 1 is the name: a tag, its length, and its text.
        const name = request.subarray(2).toString();
        if (name === 'slow') return;
        const known = ANSWERS[name];
        if (known === undefined) answer({ code: status.NOT_FOUND, details: 'unknown service' });
        else answer(null, Buffer.from([8, known]));
      },
    },
  );
  port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
});
afterAll(() => server.forceShutdown());

const probe = (grpc: { port: number; service?: string }, timeoutSeconds = 5) =>
  perform({ grpc }, { containerId: 'id', container: container('main'), podIP: '127.0.0.1' }, timeoutSeconds * 1000, {
    runtime: {} as ContainerRuntime,
    clock: new SystemClock(),
  });

describe('grpc', () => {
  it.each([
    [undefined, true],
    ['ready', true],
    ['sick', false],
    ['none', false],
  ])('service %s', async (service, ok) => {
    expect((await probe({ port, ...(service === undefined ? {} : { service }) })).ok).toBe(ok);
  });

  it('no answer in timeoutSeconds is a failure', async () => {
    expect((await probe({ port, service: 'slow' }, 0.05)).ok).toBe(false);
  });
});
