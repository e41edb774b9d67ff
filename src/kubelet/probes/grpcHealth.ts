/** The gRPC health checking protocol. Source: https://grpc.github.io/grpc/core/md_doc_health-checking.html */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import { int32, object, opt, str } from '../../machinery/schema/types.ts';
import type { ProbeResult } from './prober.ts';

const Request = object('grpc.health.v1.HealthCheckRequest', () => ({ service: opt(1, str) }));
const Response = object('grpc.health.v1.HealthCheckResponse', () => ({ status: opt(1, int32) }));
const SERVING = 1;

/** @param deadline ms since the epoch */
export function grpcHealth(address: string, service: string, deadline: number): Promise<ProbeResult> {
  const client = new Client(address, credentials.createInsecure());
  return new Promise<ProbeResult>((resolve) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (value: object) => encodeProtobuf(Request, value),
      (bytes: Buffer) => decodeProtobuf<{ status?: number }>(Response, bytes),
      { service },
      new Metadata(),
      { deadline },
      (error, response) => {
        if (error !== null) resolve({ ok: false, message: error.details || error.message });
        else if (response?.status === SERVING) resolve({ ok: true, message: '' });
        else resolve({ ok: false, message: `service unhealthy (responded with ${response?.status ?? 0})` });
      },
    );
  }).finally(() => client.close());
}
