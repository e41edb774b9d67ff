/** The refusal of a policy, as its client is told. */
import { ApiError, forbiddenRequest } from '../../../machinery/status.ts';
import type { AdmissionRequest } from '../plugin.ts';

const CODES: Readonly<Record<string, number>> = {
  Unauthorized: 401,
  Forbidden: 403,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

export function denied(request: AdmissionRequest, message: string, reason: string, cause: string): ApiError {
  const { status } = forbiddenRequest(request.asked ?? request.kind, request.name, message);
  return new ApiError({
    ...status,
    reason,
    code: CODES[reason] ?? 422,
    details: { ...status.details, causes: [{ message: cause }] },
  });
}
