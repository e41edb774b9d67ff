import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { type Infer, int32, microTime, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { type Event as CoreEvent, events as coreEvents, EventSource } from '../core/event.ts';
import { EVENT_COLUMNS } from '../core/eventColumns.ts';
import { ObjectReference } from '../core/references.ts';

export const Event = object('io.k8s.api.events.v1.Event', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  eventTime: req(2, microTime, { pointer: false, doc: 'When it was first seen.' }),
  series: opt(3, EventSeries),
  reportingController: opt(4, str),
  reportingInstance: opt(5, str),
  action: opt(6, str),
  reason: opt(7, str),
  regarding: opt(8, ObjectReference, { pointer: false }),
  related: opt(9, ObjectReference),
  note: opt(10, str),
  type: opt(11, str),
  deprecatedSource: opt(12, EventSource, { pointer: false }),
  deprecatedFirstTimestamp: opt(13, time),
  deprecatedLastTimestamp: opt(14, time),
  deprecatedCount: opt(15, int32, { pointer: false }),
}));
export interface Event extends Infer<typeof Event> {}

export const EventSeries = object('io.k8s.api.events.v1.EventSeries', () => ({
  count: req(1, int32),
  lastObservedTime: req(2, microTime),
}));
export interface EventSeries extends Infer<typeof EventSeries> {}

/** Events, seen through the newer of their two groups. What is stored is the core one. */
export const events = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  schema: Event,
  shortNames: ['ev'],
  createOnUpdate: true,
  hub: { kind: coreEvents, toHub: toCore, fromHub: (event) => fromCore(event as CoreEvent), validatesAlone: true },
  validate: validateNew,
  update: { validate: validateUpdate },
  columns: EVENT_COLUMNS.map((column) => ({
    ...column,
    value: (event: Event, now: number) => column.value(toCore(event), now),
  })),
  selectableFields: {
    'regarding.kind': (event) => event.regarding?.kind ?? '',
    'regarding.namespace': (event) => event.regarding?.namespace ?? '',
    'regarding.name': (event) => event.regarding?.name ?? '',
    'regarding.uid': (event) => event.regarding?.uid ?? '',
    'regarding.apiVersion': (event) => event.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': (event) => event.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': (event) => event.regarding?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingController: (event) => event.reportingController ?? '',
    type: (event) => event.type ?? '',
  },
});

function toCore(event: Event): CoreEvent {
  const { regarding, note, reportingController, ...rest } = event;
  const { deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount, ...same } = rest;
  return compact({
    ...same,
    apiVersion: 'v1',
    metadata: event.metadata ?? {},
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
  }) as CoreEvent;
}

function fromCore(event: CoreEvent): Event {
  const { involvedObject, message, reportingComponent, ...rest } = event;
  const { source, firstTimestamp, lastTimestamp, count, ...same } = rest;
  return compact({
    ...same,
    apiVersion: 'events.k8s.io/v1',
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
  }) as Event;
}

/** Without what is absent. */
function compact(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

const LONGEST_NAME = 128;
const LONGEST_NOTE = 1024;
const TYPES = ['Normal', 'Warning'];
const DEPRECATED = ['deprecatedFirstTimestamp', 'deprecatedLastTimestamp', 'deprecatedCount'] as const;

/** Stricter than what the core group asks for: an event of this group says who saw what, and when. */
function validateNew(event: Event): FieldError[] {
  const errors = validatePlace(event);
  if (event.eventTime === undefined) errors.push(required('eventTime'));
  if (!event.reportingController) errors.push(required('reportingController'));
  else {
    for (const fault of qualifiedName(event.reportingController)) {
      errors.push(invalid('reportingController', event.reportingController, fault));
    }
  }
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[field] ?? '';
    if (value === '') errors.push(required(field));
    else if (value.length > LONGEST_NAME)
      errors.push(invalid(field, '', `can have at most ${LONGEST_NAME} characters`));
  }
  if ((event.note ?? '').length > LONGEST_NOTE)
    errors.push(invalid('note', '', `can have at most ${LONGEST_NOTE} characters`));
  if (!TYPES.includes(event.type ?? '')) errors.push(notSupported('type', event.type ?? '', TYPES));
  errors.push(...validateSeries(event.series));
  for (const field of DEPRECATED) if (event[field]) errors.push(invalid(field, '', 'needs to be unset'));
  const { component, host } = event.deprecatedSource ?? {};
  if (component || host) errors.push(invalid('deprecatedSource', '', 'needs to be unset'));
  return errors;
}

/** An event that was seen again: how often, and when last. */
function validateSeries(series: EventSeries | undefined): FieldError[] {
  if (series === undefined) return [];
  const { count = 0, lastObservedTime }: Partial<EventSeries> = series;
  const errors: FieldError[] = [];
  if (count < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (lastObservedTime === undefined) errors.push(required('series.lastObservedTime'));
  return errors;
}

function validatePlace({ metadata, regarding }: Event): FieldError[] {
  const namespace = metadata?.namespace ?? '';
  const about = regarding?.namespace ?? '';
  if (about === namespace || (about === '' && (namespace === 'default' || namespace === 'kube-system'))) return [];
  return [invalid('regarding.namespace', about, 'does not match event.namespace')];
}

/** Only its series goes on. */
function validateUpdate(event: Event, old: Event): FieldError[] {
  const errors = validatePlace(event);
  const { metadata: _now, series, kind: _kind, apiVersion: _version, ...rest } = event;
  const before: Record<string, unknown> = { ...old };
  for (const [name, field] of Object.entries(Event.fields)) {
    if (['metadata', 'series', 'kind', 'apiVersion'].includes(name)) continue;
    const value = (rest as Record<string, unknown>)[name];
    if (!semanticEqual(field.type, value, before[name])) errors.push(invalid(name, value, 'field is immutable'));
  }
  errors.push(...validateSeries(series));
  return errors;
}
