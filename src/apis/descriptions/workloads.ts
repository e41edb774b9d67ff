/** What makes pods, in words, for `kubectl explain`. */
export const WORKLOADS = `
# io.k8s.api.core.v1
ReplicationController: Keeps a number of equal pods. Deployments do the same and more.
ReplicationControllerStatus: How many pods there are.
  replicas: Pods that there are.
  readyReplicas: Pods that are ready.
  availableReplicas: Pods that have been ready for minReadySeconds.
# io.k8s.api.apps.v1
Deployment: Keeps a number of equal pods, and replaces them step by step when their template changes.
DeploymentSpec: What is wanted of a deployment.
  replicas: How many pods; 1 if absent.
  selector: Which pods are its own. The template's labels must match. It cannot be changed.
  template: What the pods are made from. A change starts a rollout.
  strategy: How old pods are replaced by new ones.
  minReadySeconds: How long a pod must be ready to count as available.
  revisionHistoryLimit: How many old replica sets are kept for kubectl rollout undo; 10 if absent.
  paused: Changes of the template do not start a rollout.
  progressDeadlineSeconds: A rollout that gets no further for so long is told as failed; 600 if absent.
DeploymentStrategy: How old pods are replaced.
  type: RollingUpdate, or Recreate to end all old pods first.
  rollingUpdate: How many at a time.
RollingUpdateDeployment: How many pods are replaced at a time, in numbers or percent.
  maxUnavailable: So many of the wanted pods may be missing; 25% if absent.
  maxSurge: So many pods there may be above the wanted number; 25% if absent.
DeploymentStatus: How far a deployment has got.
  replicas: Pods that there are.
  updatedReplicas: Pods of the present template.
  readyReplicas: Pods that are ready.
  availableReplicas: Pods that have been ready for minReadySeconds.
  unavailableReplicas: Pods that are still to become available.
  terminatingReplicas: Pods that are about to end.
  conditions: What holds of it: Available, Progressing, ReplicaFailure.
  observedGeneration: The generation that this status is of.
  collisionCount: How often a name was taken; makes new names.
ReplicaSet: Keeps a number of equal pods; usually made by a deployment.
ReplicaSetSpec: What is wanted of a replica set.
  replicas: How many pods; 1 if absent.
  selector: Which pods are its own. It cannot be changed.
  template: What the pods are made from.
  minReadySeconds: How long a pod must be ready to count as available.
ReplicaSetStatus: How many pods there are.
  replicas: Pods that there are.
  fullyLabeledReplicas: Pods that have all labels of the template.
  readyReplicas: Pods that are ready.
  availableReplicas: Pods that have been ready for minReadySeconds.
  terminatingReplicas: Pods that are about to end.
  observedGeneration: The generation that this status is of.
  conditions: What holds of it.
StatefulSet: Keeps pods with names, and volumes, that stay when a pod is replaced.
StatefulSetUpdateStrategy: How pods are replaced when their template changes.
  rollingUpdate: From which pod on, and how many at a time.
StatefulSetStatus: How far a stateful set has got.
  replicas: Pods that there are.
  readyReplicas: Pods that are ready.
  availableReplicas: Pods that have been ready for minReadySeconds.
  currentReplicas: Pods of the revision before.
  updatedReplicas: Pods of the newest revision.
  currentRevision: The revision before.
  updateRevision: The newest revision.
  conditions: What holds of it.
  observedGeneration: The generation that this status is of.
  collisionCount: How often a name was taken; makes new names.
DaemonSet: Keeps one pod on every node, or on every node of some.
DaemonSetUpdateStrategy: How pods are replaced when their template changes.
  rollingUpdate: How many at a time.
DaemonSetStatus: On how many nodes its pods are.
  desiredNumberScheduled: Nodes that should have a pod.
  currentNumberScheduled: Nodes that should have one, and do.
  numberMisscheduled: Nodes that should have none, and do.
  numberReady: Nodes whose pod is ready.
  numberAvailable: Nodes whose pod has been ready for minReadySeconds.
  numberUnavailable: Nodes whose pod is not, or not there.
  updatedNumberScheduled: Nodes with a pod of the present template.
  observedGeneration: The generation that this status is of.
  conditions: What holds of it.
  collisionCount: How often a name was taken; makes new names.
ControllerRevision: What a stateful or daemon set looked like at a time.
# io.k8s.api.batch.v1
Job: Runs pods until a number of them has succeeded.
JobStatus: How far a job has got.
  active: Pods that are not at their end.
  ready: Pods that are ready.
  succeeded: Pods that have succeeded.
  failed: Pods that have failed.
  terminating: Pods that are about to end.
  startTime: When the job was begun.
  completionTime: When it was complete.
  conditions: What holds of it: Complete, Failed, Suspended.
  completedIndexes: Indexes that have succeeded, such as 0,2-4.
  failedIndexes: Indexes that have failed for good.
  uncountedTerminatedPods: Pods that have ended and are being counted.
CronJob: Makes a job at the times of a schedule.
CronJobStatus: When jobs were made.
  active: Jobs that run.
  lastScheduleTime: When a job was due last.
  lastSuccessfulTime: When a job succeeded last.
PodFailurePolicy: What becomes of a job when a pod fails, by how it failed.
  rules: The first that fits counts.
PodFailurePolicyRule: What becomes of a job.
  action: FailJob, FailIndex, Ignore (the pod does not count) or Count (it counts as usual).
  onExitCodes: For pods whose containers ended so.
  onPodConditions: For pods with one of these conditions.
PodFailurePolicyOnExitCodesRequirement: Some exit codes.
  containerName: Of this container; of any if absent.
  operator: In or NotIn.
  values: The codes, in order; not 0.
SuccessPolicy: When an indexed job is done before all indexes are.
  rules: It is done as soon as one of these holds.
SuccessPolicyRule: Indexes that have to succeed.
  succeededIndexes: Which, such as 0,2-4; any if absent.
  succeededCount: How many of them; all if absent.
# io.k8s.api.autoscaling.v2
HorizontalPodAutoscaler: Sets how many pods a workload has, by how busy they are.
CrossVersionObjectReference: An object, such as a deployment.
  name: Its name.
HorizontalPodAutoscalerBehavior: How fast the number of pods changes.
  scaleUp: Upwards.
  scaleDown: Downwards.
HPAScalingRules: How fast the number of pods changes in one direction.
  stabilizationWindowSeconds: So far back it looks for what was wanted, and takes the most careful.
  policies: What it may change in a time.
  selectPolicy: Which policy counts: Max, Min, or Disabled to not change at all.
  tolerance: So far the metric may be from its target without a change; 0.1 if absent.
HPAScalingPolicy: What may change in a time.
  type: Pods, or Percent.
  value: How many, or how much.
  periodSeconds: In how long a time, up to 1800 seconds.
MetricSpec: Something that is measured, and its target.
  type: Resource, ContainerResource, Pods, Object or External; the field of that name holds the rest.
  resource: Cpu or memory of the pods.
  containerResource: Cpu or memory of one container of the pods.
  pods: Something that each pod tells.
  object: Something that another object tells, such as an ingress.
  external: Something outside of the cluster.
ResourceMetricSource: Cpu or memory of the pods.
  name: cpu or memory.
  target: What it is to be.
ContainerResourceMetricSource: Cpu or memory of one container of the pods.
  name: cpu or memory.
  container: The container.
  target: What it is to be.
PodsMetricSource: Something that each pod tells.
  metric: What it is.
  target: What it is to be on average.
ObjectMetricSource: Something that another object tells.
  describedObject: The object.
  metric: What it is.
  target: What it is to be.
ExternalMetricSource: Something outside of the cluster.
  metric: What it is.
  target: What it is to be.
MetricIdentifier: Something that is measured.
  name: Its name.
  selector: Labels that narrow it down.
MetricTarget: What is wanted.
  type: Utilization, Value or AverageValue.
  averageUtilization: In percent of what the pods request, on average.
  averageValue: For each pod, on average.
  value: As a whole.
HorizontalPodAutoscalerStatus: What an autoscaler has found.
  currentReplicas: Pods that there are.
  desiredReplicas: Pods that it wants.
  currentMetrics: What was measured last.
  conditions: What holds of it: AbleToScale, ScalingActive, ScalingLimited.
  lastScaleTime: When it changed the number last.
  observedGeneration: The generation that this status is of.
# io.k8s.api.autoscaling.v1
HorizontalPodAutoscaler: Sets how many pods a workload has, by their use of cpu.
HorizontalPodAutoscalerSpec: What is wanted of an autoscaler.
  scaleTargetRef: The workload.
  maxReplicas: At most so many pods.
HorizontalPodAutoscalerStatus: What an autoscaler has found.
  currentReplicas: Pods that there are.
  desiredReplicas: Pods that it wants.
  currentCPUUtilizationPercentage: Use of cpu, in percent of what the pods request.
  lastScaleTime: When it changed the number last.
Scale: How many pods something has; what kubectl scale reads and writes.
# io.k8s.api.policy.v1
PodDisruptionBudget: How many pods must stay when nodes are drained.
PodDisruptionBudgetStatus: How many pods may go.
  disruptionsAllowed: Pods that may go now.
  currentHealthy: Pods that are ready.
  desiredHealthy: Pods that must be.
  expectedPods: Pods that it is about.
  disruptedPods: Pods that were let go and are still there, with the time.
  conditions: What holds of it.
  observedGeneration: The generation that this status is of.
Eviction: Asks to remove a pod, which is refused where a budget says so.
`;
