/** What may be asked of a delete, in its body. */
import { bool, type Infer, int64, list, object, opt, str } from './schema/types.ts';

export const DeleteOptions = object('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  gracePeriodSeconds: opt(1, int64),
  preconditions: opt(2, Preconditions),
  orphanDependents: opt(3, bool),
  propagationPolicy: opt(4, str, { pointer: true }),
  dryRun: opt(5, list(str)),
  ignoreStoreReadErrorWithClusterBreakingPotential: opt(6, bool),
}));
export interface DeleteOptions extends Infer<typeof DeleteOptions> {}

export const Preconditions = object('io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions', () => ({
  uid: opt(1, str, { pointer: true }),
  resourceVersion: opt(2, str, { pointer: true }),
}));
export interface Preconditions extends Infer<typeof Preconditions> {}
