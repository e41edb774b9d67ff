/**
 * containerd's own event stream, which tells of exits that CRI has no call for.
 * Source: https://github.com/containerd/containerd/tree/main/api (services/events, events/task.proto)
 */
import { bytes, type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';

export const SubscribeRequest = object('containerd.SubscribeRequest', () => ({ filters: opt(1, list(str)) }));
export const Envelope = object('containerd.Envelope', () => ({
  namespace: opt(2, str),
  topic: opt(3, str),
  event: opt(
    4,
    object('google.protobuf.Any', () => ({ type_url: opt(1, str), value: opt(2, bytes) })),
  ),
}));
export interface Envelope extends Infer<typeof Envelope> {}
/** `id` is the container's own for its main process, another for a command that ran in it. */
export const TaskExit = object('containerd.TaskExit', () => ({ container_id: opt(1, str), id: opt(2, str) }));
export interface TaskExit extends Infer<typeof TaskExit> {}
