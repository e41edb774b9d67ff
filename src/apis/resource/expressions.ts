/** What is wrong with the CEL expressions that select devices. */
import { type FieldError, forbidden } from '../../machinery/fieldError.ts';

export function validateDeviceExpression(_expression: string, path: string, errors: FieldError[]): void {
  errors.push(forbidden(path, 'this server cannot evaluate CEL expressions'));
}
