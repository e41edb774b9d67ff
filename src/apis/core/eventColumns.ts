/** How an event looks in `kubectl get events`. */
import type { Column } from '../../machinery/kind.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { humanDuration, parseTime } from '../../machinery/time.ts';
import type { Event } from './event.ts';

export const EVENT_COLUMNS: readonly Column<Event>[] = [
  {
    name: 'Last Seen',
    type: 'string',
    description: 'Time since it happened last.',
    value: (event, now) => since(event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime, now),
  },
  { name: 'Type', type: 'string', description: 'Normal or Warning.', value: (event) => event.type ?? '' },
  {
    name: 'Reason',
    type: 'string',
    description: 'Why it happened, in one word.',
    value: (event) => event.reason ?? '',
  },
  {
    name: 'Object',
    type: 'string',
    description: 'What it is about.',
    value: ({ involvedObject: about }) =>
      about?.name ? `${about.kind?.toLowerCase() ?? ''}/${about.name}` : (about?.kind?.toLowerCase() ?? ''),
  },
  {
    name: 'Subobject',
    type: 'string',
    description: 'Which part of that.',
    priority: 1,
    value: (event) => event.involvedObject?.fieldPath ?? '',
  },
  { name: 'Source', type: 'string', description: 'Who saw it.', priority: 1, value: sourceText },
  { name: 'Message', type: 'string', description: 'What happened.', value: (event) => (event.message ?? '').trim() },
  {
    name: 'First Seen',
    type: 'string',
    description: 'Time since it happened first.',
    priority: 1,
    value: (event, now) => since(event.firstTimestamp ?? event.eventTime, now),
  },
  {
    name: 'Count',
    type: 'string',
    description: 'How often it happened.',
    priority: 1,
    value: (event) => event.series?.count ?? (event.count || 1),
  },
  { ...NAME_COLUMN, priority: 1 },
];

function since(time: string | undefined, now: number): string {
  const ms = parseTime(time);
  return ms === undefined ? '<unknown>' : humanDuration(now - ms);
}

function sourceText(event: Event): string {
  const component = event.source?.component || event.reportingComponent || '';
  const host = event.source?.host || event.reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}
