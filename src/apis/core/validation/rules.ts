/** Small rules that the validation of pods is made of. Each adds what it finds to `errors`. */
import { type FieldError, invalid, notSupported, required } from '../../../machinery/fieldError.ts';

/** The highest user or group id that there is. */
const HIGHEST_ID = 2 ** 31 - 1;

/** A rule for a name, as in `machinery/names.ts`: what is wrong with it, in words. */
type NameRule = (value: string) => string[];

export function checkName(value: string, rule: NameRule, path: string, errors: FieldError[]): void {
  for (const fault of rule(value)) errors.push(invalid(path, value, fault));
}

/** A name that must be there. */
export function needName(value: string | undefined, rule: NameRule, path: string, errors: FieldError[]): void {
  if (!value) errors.push(required(path));
  else checkName(value, rule, path, errors);
}

/** One of a few words. */
export function checkChoice(
  value: string | undefined,
  choices: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined || value === '') errors.push(required(path));
  else if (!choices.includes(value)) errors.push(notSupported(path, value, choices));
}

export function checkNotNegative(value: number | undefined, path: string, errors: FieldError[]): void {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, 'must be greater than or equal to 0'));
}

export function checkRange(
  value: number | undefined,
  least: number,
  most: number,
  path: string,
  errors: FieldError[],
): void {
  if (value !== undefined && (value < least || value > most)) {
    errors.push(invalid(path, value, `must be between ${least} and ${most}, inclusive`));
  }
}

/** A user or group id. */
export function checkId(value: number | undefined, path: string, errors: FieldError[]): void {
  checkRange(value, 0, HIGHEST_ID, path, errors);
}

/** The permissions of a file. */
export function checkMode(mode: number | undefined, path: string, errors: FieldError[]): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    errors.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'));
  }
}

/** A path that stays within where it starts. */
export function checkLocalPath(value: string, path: string, errors: FieldError[]): void {
  if (value.startsWith('/')) errors.push(invalid(path, value, 'must be a relative path'));
  checkNoBacksteps(value, path, errors);
}

export function checkNoBacksteps(value: string, path: string, errors: FieldError[]): void {
  if (value.includes('..') && value.split('/').includes('..')) {
    errors.push(invalid(path, value, "must not contain '..'"));
  }
}
