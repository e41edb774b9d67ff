/** The gRPC health checking protocol. Source: https://grpc.github.io/grpc/core/md_doc_health-checking.html */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import { int32, object, opt, str } from '../../machinery/schema/types.ts';
import type { ProbeResult } from './prober.ts';

const Request = object('grpc.health.v1.HealthCheckRequest', () => ({ service: opt(1, str) }));
const Response = object('grpc.health.v1.HealthCheckResponse', () => ({ status: opt(1, int32) }));
const SERVING = 1;
/** By number. */
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** @param deadline ms since the epoch */
export function grpcHealth(address: string, service: string, deadline: number): Promise<ProbeResult> {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.primary_user_agent': 'kube-probe/1.36' });
  return new Promise<ProbeResult>((resolve) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (value: object) => encodeProtobuf(Request, value),
      (bytes: Buffer) => decodeProtobuf<{ status?: number }>(Response, bytes),
      { service },
      new Metadata(),
      { deadline },
      (error, response) => {
        const { status: health = 0 } = response ?? {};
        if (error !== null) resolve({ ok: false, message: describe(error) });
        else if (health === SERVING) resolve({ ok: true, message: '' });
        else {
          const name = STATUS_NAMES[health] ?? String(health);
          resolve({ ok: false, message: `service unhealthy (responded with ${JSON.stringify(name)})` });
        }
      },
    );
  }).finally(() => client.close());
}

function describe({ code, details, message }: ServiceError): string {
  const said = details || message;
  if (code === status.UNIMPLEMENTED)
    return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${said}`;
  if (code === status.DEADLINE_EXCEEDED) return `timeout: health rpc did not complete in time: ${said}`;
  return `error: health rpc probe failed: ${said}`;
}
