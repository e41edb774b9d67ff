/**
 * The moments in a pod's life between which something changes outside of the kubelet: in the runtime, on the disk,
 * in the API. Whatever dies at one of them, what comes after it brings the pod to its end, and nothing is left over;
 * tests let the kubelet, the runtime and shims die at each.
 */
export const FAULT_POINTS = [
  // Its start.
  'admitted',
  'sandboxCreated',
  'volumesPrepared',
  'imageThere',
  'containerCreated',
  'containerStarted',
  'postStartDone',
  // Its end.
  'terminating',
  'preStopDone',
  'containerStopped',
  'sandboxStopped',
  'lastStatusTold',
  'containersRemoved',
  'sandboxesRemoved',
  'filesRemoved',
  'deletedFromApi',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/** Is told of each; absent outside of tests. May take its time. */
export type AtFaultPoint = (point: FaultPoint, uid: string) => void | Promise<void>;
