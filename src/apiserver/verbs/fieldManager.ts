/** The name under which a client changes fields. */
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { invalidObject } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';

const MAX_LENGTH = 128;

/**
 * Checks the fieldManager of the query. Ownership of fields is not tracked yet, so what a client
 * sends as managedFields is not kept either: it would tell of owners that nobody checks.
 */
export function checkFieldManager(ctx: RequestContext, kind: Kind, object: KubeObject): void {
  const manager = ctx.query.get('fieldManager') ?? '';
  if (manager.length > MAX_LENGTH || /[^\x20-\x7e]/.test(manager)) {
    throw invalidObject(kind, object.metadata?.name ?? '', [
      {
        type: 'FieldValueInvalid',
        field: 'fieldManager',
        value: manager,
        detail: `must be printable and no more than ${MAX_LENGTH} characters`,
      },
    ]);
  }
  delete object.metadata?.managedFields;
}
