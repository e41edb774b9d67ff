/** The answer of a subresource that has nothing to show. */
import type { KubeObject } from '../../machinery/kind.ts';
import type { Answer } from '../answer.ts';

export function success(code: number): Answer {
  const object = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code } as KubeObject;
  return { type: 'object', status: code, object };
}
