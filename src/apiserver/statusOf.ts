/** The last resort: whatever goes wrong with a request, its client gets a Status, and the process goes on. */
import { isApiError, type Status } from '../machinery/status.ts';
import type { ApiServerParts } from './stage.ts';

/**
 * The Status of whatever was thrown; what is not a refusal is our own fault, and logged.
 * @param where what the log says of the request
 */
export function statusOf(error: unknown, parts: Pick<ApiServerParts, 'log'>, where: Record<string, string>): Status {
  if (isApiError(error)) return error.status;
  parts.log.error('a request failed', { err: error, ...where });
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
    reason: 'InternalError',
    details: { causes: [{ message: error instanceof Error ? error.message : String(error) }] },
    code: 500,
  };
}
