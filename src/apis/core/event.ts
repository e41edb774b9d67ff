import { type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsSubdomain, qualifiedName } from '../../machinery/names.ts';
import { type Infer, int32, microTime, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { EVENT_COLUMNS } from './eventColumns.ts';
import { ObjectReference } from './references.ts';

export const Event = object('io.k8s.api.core.v1.Event', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: req(1, ObjectMeta),
  involvedObject: req(2, ObjectReference),
  reason: opt(3, str),
  message: opt(4, str),
  source: opt(5, EventSource, { pointer: false }),
  firstTimestamp: opt(6, time),
  lastTimestamp: opt(7, time),
  count: opt(8, int32, { pointer: false }),
  type: opt(9, str),
  eventTime: opt(10, microTime, { pointer: false }),
  series: opt(11, EventSeries),
  action: opt(12, str),
  related: opt(13, ObjectReference),
  reportingComponent: opt(14, str),
  reportingInstance: opt(15, str),
}));
export interface Event extends Infer<typeof Event> {}

export const EventSource = object('io.k8s.api.core.v1.EventSource', () => ({
  component: opt(1, str),
  host: opt(2, str),
}));
export interface EventSource extends Infer<typeof EventSource> {}

export const EventSeries = object('io.k8s.api.core.v1.EventSeries', () => ({
  count: opt(1, int32, { pointer: false }),
  lastObservedTime: opt(2, microTime, { pointer: false }),
}));
export interface EventSeries extends Infer<typeof EventSeries> {}

/** Events: what happened to an object, for people to read. */
export const events = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  schema: Event,
  shortNames: ['ev'],
  createOnUpdate: true,
  validate: validateEvent,
  update: { validate: validateEvent },
  columns: EVENT_COLUMNS,
  selectableFields: {
    'involvedObject.kind': (event) => event.involvedObject?.kind ?? '',
    'involvedObject.namespace': (event) => event.involvedObject?.namespace ?? '',
    'involvedObject.name': (event) => event.involvedObject?.name ?? '',
    'involvedObject.uid': (event) => event.involvedObject?.uid ?? '',
    'involvedObject.apiVersion': (event) => event.involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': (event) => event.involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': (event) => event.involvedObject?.fieldPath ?? '',
    reason: (event) => event.reason ?? '',
    reportingComponent: (event) => event.reportingComponent ?? '',
    source: (event) => event.source?.component || event.reportingComponent || '',
    type: (event) => event.type ?? '',
  },
});

const LONGEST_NAME = 128;
const LONGEST_MESSAGE = 1024;

/** An event lies in the namespace of what it is about; one with an eventTime must also say who saw what. */
function validateEvent(event: Event): FieldError[] {
  const errors: FieldError[] = [];
  const namespace = event.metadata?.namespace ?? '';
  const about = event.involvedObject?.namespace ?? '';
  const clusterWide = about === '' && (namespace === '' || namespace === 'default' || namespace === 'kube-system');
  if (about !== namespace && !clusterWide) {
    errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  }
  if (event.eventTime !== undefined) {
    if (event.reportingComponent) {
      for (const fault of qualifiedName(event.reportingComponent)) {
        errors.push(invalid('reportingComponent', event.reportingComponent, fault));
      }
    } else errors.push(required('reportingComponent'));
    for (const field of ['reportingInstance', 'action', 'reason'] as const) {
      const value = event[field] ?? '';
      if (value === '') errors.push(required(field));
      else if (value.length > LONGEST_NAME) {
        errors.push(invalid(field, '', `can have at most ${LONGEST_NAME} characters`));
      }
    }
    if ((event.message ?? '').length > LONGEST_MESSAGE) {
      errors.push(invalid('message', '', `can have at most ${LONGEST_MESSAGE} characters`));
    }
  }
  for (const fault of dnsSubdomain(namespace)) errors.push(invalid('metadata.namespace', namespace, fault));
  return errors;
}
