/**
 * How long a request may take: what its `timeout` says, and never more than a minute. Then it is answered 504, whatever
 * it still waits for, and does not begin to write any more.
 * Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--request-timeout)
 */
import type { Clock } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import { apiError, badRequest } from '../machinery/status.ts';
import type { Answer } from './answer.ts';
import type { RequestContext } from './context.ts';
import { isLongRunning } from './longRunning.ts';

const REQUEST_TIMEOUT_MS = 60_000;

/** In milliseconds. @throws ApiError BadRequest for a `timeout` that is no duration */
export function timeoutOf(query: URLSearchParams): number {
  const text = query.get('timeout') ?? '';
  if (text === '') return REQUEST_TIMEOUT_MS;
  const asked = parseDuration(text);
  if (asked === undefined) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  }
  return asked > 0 ? Math.min(asked, REQUEST_TIMEOUT_MS) : REQUEST_TIMEOUT_MS;
}

/** Bounds an answer that is still to come. Parts of this process bound their requests themselves. */
export function withDeadline(clock: Clock, ctx: RequestContext, coming: Promise<Answer>): Promise<Answer> {
  const { expire } = ctx;
  if (expire === undefined || isLongRunning(ctx)) return coming;
  return new Promise((resolve, reject) => {
    const timer = clock.after(timeoutOf(ctx.query), () => {
      expire.call(ctx);
      reject(outOfTime());
    });
    coming.then(
      (answer) => {
        timer.cancel();
        resolve(answer);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}

/** Before something is stored: a client that was told 504 must not find it written later. @throws ApiError Timeout */
export function assertInTime(ctx: RequestContext): void {
  if (ctx.expired === true) throw outOfTime();
}

const outOfTime = () => apiError('Timeout', 'Timeout: request did not complete within the allotted timeout');
