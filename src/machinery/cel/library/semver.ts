/** Source: https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-semver-library */
import { CelError } from '../error.ts';
import { fn, method, type Overload } from '../overload.ts';
import { BOOL, INT, opaque, STRING } from '../types.ts';
import { OpaqueValue } from '../value.ts';

const SEMVER = opaque('kubernetes.Semver');
const PATTERN =
  /^(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})(?:-([0-9A-Za-z.-]{1,256}))?(?:\+([0-9A-Za-z.-]{1,256}))?$/;

class Semver extends OpaqueValue {
  override readonly type = 'kubernetes.Semver';
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly string[];
  readonly text: string;
  constructor(text: string, numbers: readonly [bigint, bigint, bigint], pre: readonly string[]) {
    super();
    this.text = text;
    this.numbers = numbers;
    this.pre = pre;
  }
  override equals(other: OpaqueValue): boolean {
    return other instanceof Semver && compareVersions(this, other) === 0;
  }
  override toJson(): string {
    return this.text;
  }
}

function parse(text: string): Semver | undefined {
  const m = PATTERN.exec(text);
  if (m === null) return undefined;
  const pre = m[4]?.split('.') ?? [];
  if (pre.some((p) => p === '' || /^0\d+$/.test(p)) || m[5]?.split('.').includes('')) return undefined;
  return new Semver(text, [BigInt(m[1] as string), BigInt(m[2] as string), BigInt(m[3] as string)], pre);
}

/** Forgiving: a `v` in front, missing numbers and leading zeros. */
function normalize(text: string): string {
  const [, core = '', rest = ''] = /^v?([0-9.]*)(.*)$/s.exec(text) ?? [];
  const numbers = core.split('.').map((n) => n.replace(/^0+(?=\d)/, ''));
  while (numbers.length < 3) numbers.push('0');
  return numbers.join('.') + rest;
}

function compareVersions(a: Semver, b: Semver): number {
  for (let i = 0; i < 3; i++) {
    const [x, y] = [a.numbers[i] as bigint, b.numbers[i] as bigint];
    if (x !== y) return x < y ? -1 : 1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const [x, y] = [a.pre[i], b.pre[i]];
    if (x === undefined) return -1;
    if (y === undefined) return 1;
    if (x === y) continue;
    const [n, m] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (n !== m) return n ? -1 : 1;
    if (n) return BigInt(x) < BigInt(y) ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return 0;
}

function need(text: string): Semver {
  const version = parse(text);
  if (version === undefined)
    throw new CelError(`semver parse error during conversion from string: ${JSON.stringify(text)}`);
  return version;
}

export const semver: readonly Overload[] = [
  fn('isSemver', [STRING], BOOL, (text: string) => parse(text) !== undefined),
  fn(
    'isSemver',
    [STRING, BOOL],
    BOOL,
    (text: string, lenient: boolean) => parse(lenient ? normalize(text) : text) !== undefined,
  ),
  fn('semver', [STRING], SEMVER, need),
  fn('semver', [STRING, BOOL], SEMVER, (text: string, lenient: boolean) => need(lenient ? normalize(text) : text)),
  method('major', [SEMVER], INT, (v: Semver) => v.numbers[0]),
  method('minor', [SEMVER], INT, (v: Semver) => v.numbers[1]),
  method('patch', [SEMVER], INT, (v: Semver) => v.numbers[2]),
  method('isLessThan', [SEMVER, SEMVER], BOOL, (a: Semver, b: Semver) => compareVersions(a, b) < 0),
  method('isGreaterThan', [SEMVER, SEMVER], BOOL, (a: Semver, b: Semver) => compareVersions(a, b) > 0),
  method('compareTo', [SEMVER, SEMVER], INT, (a: Semver, b: Semver) => BigInt(compareVersions(a, b))),
];
