/** matches, find, findAll: in RE2's syntax, in linear time. */
import { compileRegularExpression } from '../../regularExpression.ts';
import { CelError } from '../error.ts';
import { fn, method, type Overload, type Run } from '../overload.ts';
import { BOOL, INT, listOf, STRING } from '../types.ts';
import { ListValue } from '../value.ts';

function compiled(pattern: string) {
  try {
    return compileRegularExpression(pattern);
  } catch (error) {
    throw new CelError(`error parsing regexp: ${(error as Error).message}`);
  }
}

/** The time is that of the text times that of the pattern. */
const pass = (text: string, pattern: string, run: Run) => run.spend(((text.length + 1) * (pattern.length + 4)) / 40);

function matches(text: string, pattern: string, run: Run): boolean {
  pass(text, pattern, run);
  return compiled(pattern).matcher(text).find();
}

function all(text: string, pattern: string, limit: bigint, run: Run): ListValue {
  pass(text, pattern, run);
  const matcher = compiled(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) {
    run.spend(1);
    found.push(matcher.group() ?? '');
  }
  return new ListValue(found);
}

export const regularExpressions: readonly Overload[] = [
  method('matches', [STRING, STRING], BOOL, matches),
  fn('matches', [STRING, STRING], BOOL, matches),
  method('find', [STRING, STRING], STRING, (text: string, pattern: string, run: Run) => {
    pass(text, pattern, run);
    const matcher = compiled(pattern).matcher(text);
    return matcher.find() ? (matcher.group() ?? '') : '';
  }),
  method('findAll', [STRING, STRING], listOf(STRING), (text: string, pattern: string, run: Run) =>
    all(text, pattern, -1n, run),
  ),
  method('findAll', [STRING, STRING, INT], listOf(STRING), all),
];
