/** How pods are, in words, for `kubectl explain`. */
export const POD_STATUSES = `
# io.k8s.api.core.v1
PodStatus: How a pod is.
  phase: Pending, Running, Succeeded, Failed or Unknown.
  conditions: What holds of it, such as Ready.
  podIP: Its address.
  podIPs: Its addresses, one for each family.
  hostIP: The address of its node.
  hostIPs: The addresses of its node.
  startTime: When the kubelet took it on.
  message: Why it is as it is, for people.
  reason: Why it is as it is, in a word.
  containerStatuses: How its containers are.
  initContainerStatuses: How its init containers are.
  ephemeralContainerStatuses: How its ephemeral containers are.
  qosClass: Guaranteed, Burstable or BestEffort; follows from its resources.
  nominatedNodeName: The node where room is made for it.
  resize: How far a change of its resources has got.
  observedGeneration: The generation of the pod that this status is of.
ContainerStatus: How a container is.
  name: The container.
  state: What it does now.
  lastState: How it ended last.
  ready: Whether its readiness probe succeeds.
  started: Whether it runs and its startup probe has succeeded.
  restartCount: How often it was started again.
  image: The image that it runs.
  imageID: The image, by its digest.
  containerID: What the runtime calls it.
  resources: What it really has.
ContainerState: What a container does; one of these.
  waiting: It does not run yet.
  running: It runs.
  terminated: It has ended.
ContainerStateWaiting: Why it does not run yet.
  reason: In a word, such as ImagePullBackOff.
  message: For people.
ContainerStateRunning: Since when it runs.
  startedAt: When it was started.
ContainerStateTerminated: How it ended.
  exitCode: Its exit code.
  signal: The signal that ended it.
  reason: In a word, such as Completed or OOMKilled.
  message: What it said at its end.
  startedAt: When it was started.
  finishedAt: When it ended.
  containerID: What the runtime called it.
`;
