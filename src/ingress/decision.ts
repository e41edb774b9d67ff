/** What becomes of a request. */
import type { Address } from './endpoints.ts';
import type { HeaderChange } from './headers.ts';

export type Protocol = 'http' | 'https';

/** What it is decided by. */
export interface Asked {
  readonly protocol: Protocol;
  /** as the request says it, with or without a port */
  readonly host: string;
  /** path and query */
  readonly url: string;
  readonly method: string;
  /** by names in lower case */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface ToBackends {
  readonly to: 'backends';
  /** any of them; none: the service is unavailable */
  readonly addresses: readonly Address[];
  /** the path and query that the backend is asked for; absent: those of the request */
  readonly url?: string;
  /** absent: that of the request */
  readonly host?: string;
  readonly requestHeaders?: readonly HeaderChange[];
  readonly answerHeaders?: readonly HeaderChange[];
  /** from the request to the end of the answer */
  readonly timeoutMs?: number;
  /** who gets a copy of the request */
  readonly mirrors?: readonly Address[];
}

export interface Redirect {
  readonly to: 'redirect';
  readonly status: number;
  readonly location: string;
}

export interface Refusal {
  readonly to: 'refuse';
  readonly status: number;
}

export type Decision = ToBackends | Redirect | Refusal;
