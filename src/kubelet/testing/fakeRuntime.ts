/** A container runtime for tests that answers with what it is given. */
import type { CallName, CallRequest, CallResponse } from '../cri/calls.ts';
import { CONTAINER_STATE, SANDBOX_READY } from '../cri/messages.ts';
import { type ContainerRuntime, RuntimeError } from '../cri/runtime.ts';
import { ANNOTATION, LABEL } from '../pods/labels.ts';

type Answers = {
  [N in CallName]?: (request: CallRequest<N>) => CallResponse<N> | undefined | Promise<CallResponse<N>>;
};

/** Calls without an answer fail as unimplemented. */
export function fakeRuntime(answers: Answers): ContainerRuntime {
  return {
    async call(name, request) {
      const answer = answers[name] as ((request: unknown) => unknown) | undefined;
      if (answer === undefined) throw new RuntimeError(12, `${name} is not to be called`);
      return ((await answer(request)) ?? {}) as never;
    },
    subscribe() {},
    close() {},
  };
}

/** The answers of a runtime in which one container of one pod runs. */
export function runningContainer(of: { uid: string; name: string; namespace: string; container: string }): Answers {
  const labels = {
    [LABEL.podUid]: of.uid,
    [LABEL.podName]: of.name,
    [LABEL.podNamespace]: of.namespace,
    [LABEL.containerName]: of.container,
  };
  const annotations = { [ANNOTATION.restartCount]: '0' };
  const container = { id: 'c1', pod_sandbox_id: 's1', state: CONTAINER_STATE.running, labels, annotations };
  const { uid, name, namespace } = of;
  return {
    listPodSandbox: () => ({ items: [{ id: 's1', state: SANDBOX_READY, metadata: { uid, name, namespace } }] }),
    podSandboxStatus: () => ({ status: { id: 's1', network: { ip: '10.0.0.2' } } }),
    listContainers: () => ({ containers: [container] }),
    containerStatus: () => ({ status: container }),
  };
}
