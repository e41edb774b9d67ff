import { describe, expect, it } from 'vitest';
import { created, updated } from '../testing/create.ts';
import { namespaces } from './namespace.ts';

const namespace = (more: object = {}) => ({ metadata: { name: 'a' }, ...more });

describe('a namespace', () => {
  it('starts active, held, and labelled with its name', () => {
    expect(created(namespaces, namespace({ status: { phase: 'Terminating' } }))).toEqual({
      metadata: { name: 'a', labels: { 'kubernetes.io/metadata.name': 'a' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('is let go of by finalize alone', () => {
    const free = namespace({ spec: { finalizers: [] } });
    expect(updated(namespaces, namespaces.update, namespace(), free).object.spec?.finalizers).toEqual(['kubernetes']);
    const rules = namespaces.subresources?.finalize?.rules;
    expect(updated(namespaces, rules, namespace(), free).object.spec?.finalizers ?? []).toEqual([]);
    const bad = namespace({ spec: { finalizers: ['a b'] } });
    expect(updated(namespaces, rules, namespace(), bad).faults).toEqual(['spec.finalizers[0]: Invalid']);
  });

  it('is terminating only while it is being deleted', () => {
    const write = (deletionTimestamp: string | undefined, phase: string) => {
      const metadata = { name: 'a', ...(deletionTimestamp ? { deletionTimestamp } : {}) };
      return updated(namespaces, namespaces.status, namespace(), { metadata, status: { phase } }).faults;
    };
    expect(write(undefined, 'Active')).toEqual([]);
    expect(write(undefined, 'Terminating')).toEqual(['status.phase: Invalid']);
    expect(write('2026-01-01T00:00:00Z', 'Terminating')).toEqual([]);
  });
});
