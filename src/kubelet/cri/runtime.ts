/** The container runtime as the kubelet sees it: containerd over CRI, or anything that behaves so. */
import type { CallName, CallRequest, CallResponse } from './calls.ts';

/** A call failed. `code` is the gRPC status. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** gRPC status codes that mean something to the kubelet. */
export const GRPC = { deadlineExceeded: 4, notFound: 5, unavailable: 14 } as const;

export interface ContainerRuntime {
  /** True: it tells of everything that happens, so it need not be looked at between. */
  readonly tellsAll?: boolean;
  /** One CRI call. @throws RuntimeError */
  call<N extends CallName>(
    name: N,
    request: CallRequest<N>,
    options?: { timeoutMs?: number },
  ): Promise<CallResponse<N>>;
  /**
   * Tells that something happened, soon after it did; `onEnd`: the stream broke.
   * @param onEvent `exited`: the id of a container or sandbox whose process ended. Lists and statuses may
   *   still show it running for a moment.
   */
  subscribe(onEvent: (exited: string | undefined) => void, onEnd: () => void, signal: AbortSignal): void;
  close(): void;
}

/** Whether a call failed because what it was about is not there. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof RuntimeError && (error.code === GRPC.notFound || /not found|does not exist/.test(error.message))
  );
}
