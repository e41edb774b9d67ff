/**
 * A variable out of a file of variables, which is a part of what a POSIX shell reads: NAME='value' on lines of
 * their own, values always in single quotes and over as many lines as they like, comments behind a `#`.
 *
 * Source: https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-via-file/#env-file-syntax
 */

/** A file of variables is not written as it has to be. */
export class EnvFileError extends Error {
  override readonly name = 'EnvFileError';
}

/** The value of `key`; undefined where the file does not have it. @throws EnvFileError up to where it stands */
export function envFileValue(text: string, key: string): string | undefined {
  let line = 1;
  const wrong = (what: string) => new EnvFileError(`invalid environment variable format at line ${line}: ${what}`);
  for (let at = 0; at < text.length; ) {
    const end = endOfLine(text, at);
    const start = at + (/^[ \t]*/.exec(text.slice(at, end))?.[0].length ?? 0);
    if (start === end || text.charAt(start) === '#' || text.charAt(start) === '\r') {
      at = end + 1;
      line++;
      continue;
    }
    const equals = text.indexOf('=', start);
    if (equals < 0 || equals > end) throw wrong("there is no '='");
    const name = text.slice(start, equals);
    if (name === '') throw wrong('there is no name');
    if (/\s/.test(name)) throw wrong("whitespace before '=' is not allowed");
    if (text.charAt(equals + 1) !== "'") throw wrong('value must be enclosed in single quotes');
    const close = text.indexOf("'", equals + 2);
    if (close < 0) throw wrong('unclosed single quote');
    const rest = endOfLine(text, close);
    // A shell takes a `#` for a comment behind a space only.
    if (!/^(?:[ \t]+#.*|[ \t]*\r?)$/.test(text.slice(close + 1, rest)))
      throw wrong('unexpected content after closing quote');
    const value = text.slice(equals + 2, close);
    if (name === key) return value;
    line += value.split('\n').length;
    at = rest + 1;
  }
  return undefined;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}
