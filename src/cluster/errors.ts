/** What a person can do something about: one line that says what happened, to what, and what to do. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}
