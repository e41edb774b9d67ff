import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, microTime, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { ObjectReference } from './references.ts';

export const Event = object('io.k8s.api.core.v1.Event', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: req(1, ObjectMeta),
  involvedObject: req(2, ObjectReference),
  reason: opt(3, str),
  message: opt(4, str),
  source: opt(5, EventSource),
  firstTimestamp: opt(6, time),
  lastTimestamp: opt(7, time),
  count: opt(8, int32),
  type: opt(9, str),
  eventTime: opt(10, microTime),
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
  count: opt(1, int32),
  lastObservedTime: opt(2, microTime),
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
});
