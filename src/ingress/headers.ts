/** Changes of the headers of requests and answers. */
export type Headers = Record<string, string | string[]>;

/** In this order. Names are in lower case. */
export interface HeaderChange {
  readonly set: readonly Header[];
  readonly add: readonly Header[];
  readonly remove: readonly string[];
}

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** Returns the headers themselves, changed. */
export function changeHeaders(headers: Headers, changes: readonly HeaderChange[] = []): Headers {
  for (const { set, add, remove } of changes) {
    for (const { name, value } of set) headers[name] = value;
    for (const { name, value } of add) {
      const before = headers[name];
      headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    for (const name of remove) delete headers[name];
  }
  return headers;
}
