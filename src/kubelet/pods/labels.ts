/** What is written on sandboxes and containers, so that a kubelet that starts finds its pods again. */
import { createHash } from 'node:crypto';
import type { Container } from '../../apis/core/container.ts';

export const LABEL = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

export const ANNOTATION = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  /** what it was made with, as `resourcesKey` says it */
  resources: 'kubets.io/resources',
  /** where the file of the termination message lies on the node */
  terminationMessageFile: 'kubets.io/termination-message-file',
} as const;

/** Of what makes a new container necessary when it changes: the name and the image. */
export function containerHash(container: Container): string {
  return createHash('sha256')
    .update(`${container.name}\0${container.image ?? ''}`)
    .digest('hex')
    .slice(0, 16);
}

/** The log of a run, within the folder of the pod's logs. */
export function logPath(container: string, restarts: number): string {
  return `${container}/${restarts}.log`;
}

/** A container's id as its status gives it, with the kind of runtime before it. */
export function containerIDOf(id: string): string {
  return `containerd://${id}`;
}
