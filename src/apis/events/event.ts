import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, microTime, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { EventSource } from '../core/event.ts';
import { ObjectReference } from '../core/references.ts';

export const Event = object('io.k8s.api.events.v1.Event', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  eventTime: req(2, microTime),
  series: opt(3, EventSeries),
  reportingController: opt(4, str),
  reportingInstance: opt(5, str),
  action: opt(6, str),
  reason: opt(7, str),
  regarding: opt(8, ObjectReference),
  related: opt(9, ObjectReference),
  note: opt(10, str),
  type: opt(11, str),
  deprecatedSource: opt(12, EventSource),
  deprecatedFirstTimestamp: opt(13, time),
  deprecatedLastTimestamp: opt(14, time),
  deprecatedCount: opt(15, int32),
}));
export interface Event extends Infer<typeof Event> {}

export const EventSeries = object('io.k8s.api.events.v1.EventSeries', () => ({
  count: req(1, int32),
  lastObservedTime: req(2, microTime),
}));
export interface EventSeries extends Infer<typeof EventSeries> {}
