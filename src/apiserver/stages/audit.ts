/** Writes down that the request came, and opens the trail that its answer is added to. */
import type { ApiServerParts, Stage } from '../stage.ts';
import { attributesOf } from './authorize.ts';

export function audit({ audit: log }: Pick<ApiServerParts, 'audit'>): Stage {
  if (log === undefined) return () => undefined;
  return (ctx) => {
    const trail = log.begin(ctx, attributesOf(ctx));
    if (trail !== undefined) ctx.audit = trail;
    return undefined;
  };
}
