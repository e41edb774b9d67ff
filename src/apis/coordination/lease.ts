import { type FieldError, forbidden, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, microTime, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';

export const Lease = object('io.k8s.api.coordination.v1.Lease', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, LeaseSpec),
}));
export interface Lease extends Infer<typeof Lease> {}

export const LeaseSpec = object('io.k8s.api.coordination.v1.LeaseSpec', () => ({
  holderIdentity: opt(1, str, { pointer: true }),
  leaseDurationSeconds: opt(2, int32),
  acquireTime: opt(3, microTime),
  renewTime: opt(4, microTime),
  leaseTransitions: opt(5, int32),
  strategy: opt(6, str, { pointer: true }),
  preferredHolder: opt(7, str, { pointer: true }),
}));
export interface LeaseSpec extends Infer<typeof LeaseSpec> {}

/** Leases: who holds what, and until when. */
export const leases = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  schema: Lease,
  createOnUpdate: true,
  validate: validateLease,
  update: { validate: validateLease },
  columns: [
    NAME_COLUMN,
    {
      name: 'Holder',
      type: 'string',
      description: 'Who holds it.',
      value: (lease) => lease.spec?.holderIdentity ?? '',
    },
    AGE_COLUMN,
  ],
});

function validateLease(lease: Lease): FieldError[] {
  const errors: FieldError[] = [];
  const spec = lease.spec ?? {};
  if (spec.leaseDurationSeconds !== undefined && spec.leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', spec.leaseDurationSeconds, 'must be greater than 0'));
  }
  if (spec.leaseTransitions !== undefined && spec.leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', spec.leaseTransitions, 'must be greater than or equal to 0'));
  }
  if (spec.preferredHolder && !spec.strategy) {
    errors.push(forbidden('spec.preferredHolder', 'may only be set together with strategy'));
  }
  return errors;
}
