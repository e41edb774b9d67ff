/**
 * The warnings of an answer, as a header has them: RFC 7234, code 299, no agent, quoted text. However much there is to
 * warn of, clients can read the header.
 */

/** Together they are no longer than this … */
const MAX_LENGTH = 4 << 10;
/** … and where they would be, each is cut to this. */
const MAX_EACH = 256;

/** Each once. */
export function warningHeaders(texts: readonly string[]): string[] {
  const distinct = [...new Set(texts)];
  const length = distinct.reduce((sum, text) => sum + text.length, 0);
  return (length <= MAX_LENGTH ? distinct : cut(distinct)).map(
    (text) => `299 - ${JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, '?'))}`,
  );
}

function cut(texts: readonly string[]): string[] {
  const kept: string[] = [];
  let left = MAX_LENGTH;
  for (const text of texts) {
    const short = text.slice(0, MAX_EACH);
    left -= short.length;
    if (left < 0) break;
    kept.push(short);
  }
  return kept;
}
