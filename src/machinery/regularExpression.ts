/**
 * Regular expressions that come from clients, in Go's syntax (RE2): they are matched in linear time, whatever they
 * and their input are. JavaScript's own may take forever.
 */
import { RE2JS } from 're2js';

const MAX_PATTERN = 10_000;
/** States of the machine; `((a{100}){100}){100}` is refused. */
const MAX_PROGRAM = 50_000;
const KEPT = 512;

/** Compiled patterns by their text: a memory of a pure function, the oldest forgotten first. */
const compiled = new Map<string, RE2JS>();

/** @throws Error for what is no regular expression, or too large a one */
export function compileRegularExpression(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > MAX_PATTERN) throw new Error('the regular expression is too long');
  const made = RE2JS.compile(pattern);
  if (made.programSize() > MAX_PROGRAM) throw new Error('expression too large');
  if (compiled.size >= KEPT) compiled.delete(compiled.keys().next().value as string);
  compiled.set(pattern, made);
  return made;
}
