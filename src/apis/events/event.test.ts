import { describe, expect, it } from 'vitest';
import { created, createFaults, updated } from '../testing/create.ts';
import { events } from './event.ts';

const event = (more: object = {}) => ({
  metadata: { name: 'e', namespace: 'default' },
  regarding: { kind: 'Pod', name: 'web', namespace: 'default' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'example.com/test',
  reportingInstance: 'test-1',
  action: 'Testing',
  reason: 'Tested',
  type: 'Normal',
  ...more,
});
const series = (count: number) => ({ count, lastObservedTime: '2026-01-01T00:00:00.000000Z' });

describe('an event of events.k8s.io', () => {
  it.each<[string, object, string[]]>([
    ['says all', {}, []],
    ['does not say when', { eventTime: undefined }, ['eventTime: Required']],
    ['does not say who', { reportingController: '' }, ['reportingController: Required']],
    ['is of no type', { type: 'x' }, ['type: NotSupported']],
    ['says too much', { note: 'x'.repeat(1025) }, ['note: Invalid']],
    ['says it in the old way', { deprecatedCount: 1 }, ['deprecatedCount: Invalid']],
    ['is no series', { series: series(1) }, ['series.count: Invalid']],
    ['is elsewhere', { regarding: { namespace: 'other' } }, ['regarding.namespace: Invalid']],
  ])('that %s', (_what, more, faults) => {
    expect(createFaults(events, event(more))).toEqual(faults);
  });

  it('goes on only in its series', () => {
    const change = (more: object) => updated(events, events.update, event(), event(more)).faults;
    expect(change({ series: series(2) })).toEqual([]);
    expect(change({ note: 'other' })).toEqual(['note: Invalid']);
  });

  it('is stored as one of the core group, and comes back', () => {
    const object = created(events, event({ note: 'it was tested' }));
    const core = events.hub?.toHub(object);
    expect(core).toMatchObject({ apiVersion: 'v1', message: 'it was tested', involvedObject: { name: 'web' } });
    expect(events.hub?.fromHub(core ?? {})).toEqual({ ...object, apiVersion: 'events.k8s.io/v1' });
  });
});
