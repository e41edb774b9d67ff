/** The query parameters that operations know. */

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly required?: boolean;
  readonly description: string;
  readonly schema: { readonly type: string; readonly uniqueItems: boolean };
}

const parameter = (name: string, type: string, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});

export const pathParameter = (name: string, description: string): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string', uniqueItems: true },
});

export const PRETTY = parameter('pretty', 'string', 'With true, the answer is indented for people.');

const DRY_RUN = parameter('dryRun', 'string', 'With All, everything is done but the storing.');

const WRITES: readonly Parameter[] = [
  DRY_RUN,
  parameter('fieldManager', 'string', 'Who is said to have set the fields that this request sets.'),
  parameter(
    'fieldValidation',
    'string',
    'What happens to unknown and duplicate fields: Ignore drops them, Warn says so, Strict refuses the request.',
  ),
];

const FORCE = parameter('force', 'boolean', 'Takes over fields that others manage; for apply patches only.');

const SELECTION: readonly Parameter[] = [
  parameter('allowWatchBookmarks', 'boolean', 'Whether a watch may send bookmarks.'),
  parameter('continue', 'string', 'The token with which the list before ended, to go on from there.'),
  parameter('fieldSelector', 'string', 'Only objects whose fields match.'),
  parameter('labelSelector', 'string', 'Only objects whose labels match.'),
  parameter('limit', 'integer', 'The most objects in one answer.'),
  parameter('resourceVersion', 'string', 'The state from which to answer.'),
  parameter('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  parameter('sendInitialEvents', 'boolean', 'Whether a watch begins with the objects that are there.'),
  parameter('timeoutSeconds', 'integer', 'When a list gives up or a watch ends.'),
];

const WATCH = parameter('watch', 'boolean', 'Answers with a stream of changes instead of a list.');

const DELETES: readonly Parameter[] = [
  DRY_RUN,
  parameter('gracePeriodSeconds', 'integer', 'How long the object has to end by itself.'),
  parameter('orphanDependents', 'boolean', 'The older form of propagationPolicy.'),
  parameter('propagationPolicy', 'string', 'What becomes of dependents: Background, Foreground or Orphan.'),
];

/** By the action of an operation. */
export const PARAMETERS: Readonly<Record<string, readonly Parameter[]>> = {
  get: [],
  list: [...SELECTION, WATCH],
  post: WRITES,
  put: WRITES,
  patch: [...WRITES, FORCE],
  delete: DELETES,
  deletecollection: [...DELETES, ...SELECTION],
  connect: [],
};
