import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { formatTime } from '../../machinery/time.ts';
import { created, createFaults } from '../testing/create.ts';
import { events } from './event.ts';

const event = (more: object = {}) => ({
  metadata: { name: 'a.1', namespace: 'default' },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
  ...more,
});
const recent = {
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'example.com/c',
  reportingInstance: 'c-1',
  action: 'Go',
  reason: 'Gone',
};

describe('an event', () => {
  it.each<[string, object, string[]]>([
    ['of its namespace', {}, []],
    ['of another', { involvedObject: { namespace: 'other' } }, ['involvedObject.namespace: Invalid']],
    ['of the cluster', { involvedObject: { kind: 'Node', name: 'n' } }, []],
    ['that says who saw it', recent, []],
    [
      'that does not',
      { eventTime: recent.eventTime },
      ['reportingComponent: Required', 'reportingInstance: Required', 'action: Required', 'reason: Required'],
    ],
    [
      'that says too much',
      { ...recent, action: 'x'.repeat(129), message: 'x'.repeat(1025) },
      ['action: Invalid', 'message: Invalid'],
    ],
  ])('%s', (_what, more, expected) => {
    expect(createFaults(events, event(more))).toEqual(expected);
  });

  it('is shown', () => {
    const now = Date.UTC(2026, 0, 1);
    const object = created(
      events,
      event({
        type: 'Warning',
        reason: 'BackOff',
        message: 'again ',
        count: 4,
        source: { component: 'kubelet', host: 'n' },
        lastTimestamp: formatTime(now - 5000),
        firstTimestamp: formatTime(now - 600_000),
      }),
    );
    expect(tableRow(events, object, now, 'None')).toEqual({
      cells: ['5s', 'Warning', 'BackOff', 'pod/web', '', 'kubelet, n', 'again', '10m', 4, 'a.1'],
    });
  });

  it('is selected by who saw it', () => {
    const source = (more: object) => events.selectableFields?.source?.(created(events, event(more)));
    expect(source({ source: { component: 'kubelet' } })).toBe('kubelet');
    expect(source(recent)).toBe('example.com/c');
  });
});
