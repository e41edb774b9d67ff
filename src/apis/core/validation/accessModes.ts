/** Rules that persistent volumes and claims share. */
import { type FieldError, forbidden, invalid, notSupported } from '../../../machinery/fieldError.ts';
import { parseQuantity } from '../../../machinery/quantity.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
/** For one pod alone: what more could others ask for? */
const ONE_POD = 'ReadWriteOncePod';

export const VOLUME_MODES = ['Block', 'Filesystem'];

/** Known modes; the one for a single pod stands alone. */
export function validateAccessModes(modes: readonly string[], path: string, errors: FieldError[]): void {
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(notSupported(path, mode, ACCESS_MODES));
  }
  if (modes.includes(ONE_POD) && modes.some((mode) => mode !== ONE_POD && ACCESS_MODES.includes(mode))) {
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  }
}

/** An amount of storage: none at the least, or more than that. */
export function validateStorageAmount(
  amount: string,
  least: 'zero' | 'more',
  path: string,
  errors: FieldError[],
): void {
  const parsed = parseQuantity(amount);
  if (parsed === undefined) errors.push(invalid(path, amount, 'must be a quantity'));
  else if (least === 'more' && parsed.nano <= 0n) errors.push(invalid(path, amount, 'must be greater than zero'));
  else if (parsed.nano < 0n) errors.push(invalid(path, amount, 'must be greater than or equal to 0'));
}
