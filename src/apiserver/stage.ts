/**
 * A stage looks at a request and either answers it, or fails it by throwing an ApiError, or lets it
 * go on (undefined). `pipeline.ts` is the list of them.
 *
 * Stages answer at once wherever they can: most reads pass from the first to the last without
 * waiting for anything, and are answered in the turn of the event loop in which they came.
 */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { AdmissionPlugin } from './admission/plugin.ts';
import type { Aggregation } from './aggregation/aggregation.ts';
import type { Answer } from './answer.ts';
import type { Audit } from './audit/audit.ts';
import type { Authenticator } from './authentication/authenticator.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import type { RequestContext } from './context.ts';
import type { FlowControl } from './flowControl/flowControl.ts';
import type { RequestMetrics } from './metrics/requestMetrics.ts';
import type { Registry } from './registry/registry.ts';

export type Stage = (ctx: RequestContext) => Answer | undefined | Promise<Answer | undefined>;

/** Answers a subresource that is not plain storage, or a path that is no resource. */
export type Handler = (ctx: RequestContext) => Answer | Promise<Answer>;

/** What the stages work with. */
export interface ApiServerParts {
  readonly registry: Registry;
  /** the API servers behind this one */
  readonly aggregation: Aggregation;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: RequestMetrics;
  /** absent: nothing is written down */
  readonly audit?: Audit;
  /** asked in order until one knows the user */
  readonly authenticators: readonly Authenticator[];
  /** whether requests of nobody in particular are looked at */
  readonly anonymous: boolean;
  /** asked in order until one decides */
  readonly authorizers: readonly Authorizer[];
  /** absent: nothing is limited */
  readonly flowControl?: FlowControl;
  /** in the order in which they are called */
  readonly admission: readonly AdmissionPlugin[];
  /** by `group/resource/subresource`, or `group/resource` for kinds that are not stored */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** by path; a path that ends in `/*` stands for everything below */
  readonly paths: ReadonlyMap<string, Handler>;
}

/** The key of a handler. */
export function handlerKey(group: string, resource: string, subresource = ''): string {
  return subresource === '' ? `${group}/${resource}` : `${group}/${resource}/${subresource}`;
}
