/**
 * What a namespace says of the pods that it lets in: a level, by which version's standards, for each of three modes.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
import { type FieldError, invalid } from '../../../machinery/fieldError.ts';

const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
export type Level = (typeof LEVELS)[number];
export const MODES = ['enforce', 'audit', 'warn'] as const;
export type Mode = (typeof MODES)[number];
const PREFIX = 'pod-security.kubernetes.io/';
const VERSION = /^v1\.(0|[1-9]\d{0,5})$/;
/** The level that is meant where a namespace says something that nobody understands. */
const STRICTEST: Level = 'restricted';

/** A level by the standards of a version. */
export interface Standard {
  readonly level: Level;
  /** the minor version; absent: the latest */
  readonly minor?: number;
}

const PRIVILEGED: Standard = { level: 'privileged' };

/** `restricted:latest`, `baseline:v1.24` */
export function standardText({ level, minor }: Standard): string {
  return `${level}:${minor === undefined ? 'latest' : `v1.${minor}`}`;
}

/** What holds in a namespace with these labels. What is misspelt holds most strictly where pods are refused by it, and not at all where they are only told of. */
export function standardOf(labels: Readonly<Record<string, string>> | undefined, mode: Mode): Standard {
  const level = labels?.[PREFIX + mode];
  if (level === undefined || level === 'privileged') return PRIVILEGED;
  const known = LEVELS.find((one) => one === level);
  const version = labels?.[`${PREFIX}${mode}-version`] ?? 'latest';
  const minor = VERSION.exec(version)?.[1];
  if (known === undefined) return mode === 'enforce' ? { level: STRICTEST } : PRIVILEGED;
  return minor === undefined ? { level: known } : { level: known, minor: Number(minor) };
}

/** What is misspelt in the labels of a namespace. */
export function labelFaults(labels: Readonly<Record<string, string>> | undefined): FieldError[] {
  const errors: FieldError[] = [];
  for (const mode of MODES) {
    const level = labels?.[PREFIX + mode];
    const path = 'metadata.labels';
    if (level !== undefined && !LEVELS.some((one) => one === level)) {
      errors.push(invalid(`${path}[${PREFIX}${mode}]`, level, `must be one of ${LEVELS.join(', ')}`));
    }
    const version = labels?.[`${PREFIX}${mode}-version`];
    if (version !== undefined && version !== 'latest' && !VERSION.test(version)) {
      errors.push(invalid(`${path}[${PREFIX}${mode}-version]`, version, 'must be "latest" or "v1.x"'));
    }
  }
  return errors;
}

/** Whether `now` may refuse what `before` let in. */
export function isStricter(now: Standard, before: Standard): boolean {
  if (now.level === 'privileged') return false;
  return now.level !== before.level
    ? LEVELS.indexOf(now.level) > LEVELS.indexOf(before.level)
    : now.minor !== before.minor;
}
