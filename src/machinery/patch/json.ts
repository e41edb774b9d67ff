/** JSON patch (RFC 6902). */
import jsonPatch from 'fast-json-patch';
import type { JsonValue } from '../schema/types.ts';
import { apiError, badRequest } from '../status.ts';

/** More operations than this in one patch are refused, as Kubernetes does. */
const MAX_OPERATIONS = 10_000;

/** The patched document. @throws ApiError: BadRequest for what is no patch, Invalid where it does not apply */
export function applyJsonPatch(document: JsonValue, patch: unknown): JsonValue {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw apiError(
      'RequestEntityTooLarge',
      `the allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  for (const operation of patch as unknown[]) {
    if (typeof operation !== 'object' || operation === null || typeof (operation as { op?: unknown }).op !== 'string') {
      throw badRequest('each operation of a JSON patch must be an object with an "op"');
    }
  }
  const problem = jsonPatch.validate(patch as jsonPatch.Operation[], structuredClone(document));
  if (problem !== undefined) {
    const at = problem.index === undefined ? '' : ` (operation ${problem.index})`;
    throw apiError(
      'Invalid',
      `the server rejected our request due to an error in our request: ${firstLine(problem.message)}${at}`,
    );
  }
  return jsonPatch.applyPatch(structuredClone(document), patch as jsonPatch.Operation[], false, true, true)
    .newDocument as JsonValue;
}

const firstLine = (text: string) => text.split('\n')[0] ?? text;
