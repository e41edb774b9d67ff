/** What pods are made of, in words, for `kubectl explain`. */
export const PODS = `
# io.k8s.api.core.v1
Pod: Containers that run together on one node, with one network address and shared volumes.
PodTemplate: A description of pods, kept for whoever makes pods from it.
PodTemplateSpec: What pods are made from.
  metadata: Labels and annotations that the pods get.
  spec: The spec that the pods get.
PodSpec: What a pod is to run, where, and how.
  containers: What runs. There is at least one; names are unique.
  initContainers: Run one after the other before the containers start. With restartPolicy Always, such a container goes on beside them.
  ephemeralContainers: Added to a running pod to look into it; only through the subresource ephemeralcontainers.
  volumes: Storage that containers may mount.
  restartPolicy: When containers run again after they have ended: Always, OnFailure or Never.
  terminationGracePeriodSeconds: How long the pod has between the signal to stop and being killed; 30 if absent.
  activeDeadlineSeconds: After so long the pod is stopped and counts as failed.
  dnsPolicy: How names are resolved: ClusterFirst, ClusterFirstWithHostNet, Default (as the node does) or None (only by dnsConfig).
  dnsConfig: Servers, search domains and options besides those of dnsPolicy.
  nodeSelector: Labels that a node must have to run the pod.
  nodeName: The node that runs the pod; set by the scheduler. A pod that is made with it is not scheduled.
  schedulerName: The scheduler that is to place the pod.
  affinity: Rules for the nodes that the pod may, or would rather, run on.
  tolerations: Taints of nodes that the pod puts up with.
  topologySpreadConstraints: How evenly pods are spread over zones, nodes or other domains.
  schedulingGates: The pod is not scheduled as long as any of these is there.
  schedulingGroup: The group with which the pod is scheduled; not in use in this version.
  serviceAccountName: The service account as which the pod talks to the API server.
  serviceAccount: The older name of serviceAccountName.
  automountServiceAccountToken: Whether containers find a token of the service account.
  hostNetwork: The pod uses the network of its node.
  hostPID: The pod sees the processes of its node.
  hostIPC: The pod shares inter-process communication with its node.
  hostUsers: false gives the pod users of its own: root in it is nobody on the node.
  shareProcessNamespace: Containers see each other's processes.
  securityContext: Users, groups and confinement, for all containers that do not say otherwise.
  imagePullSecrets: Secrets with credentials for the registries of the images.
  hostname: The name that the pod has for itself; its own name if absent.
  hostnameOverride: The name that the pod has for itself, which is not found in DNS.
  subdomain: With a headless service of this name, the pod is found in DNS as hostname.subdomain.
  setHostnameAsFQDN: The pod's name for itself is the full one of DNS.
  hostAliases: Lines for /etc/hosts.
  priorityClassName: How important the pod is, by the name of a class.
  priority: How important the pod is, as a number; follows from the class.
  preemptionPolicy: Whether less important pods may be removed to make room for this one: PreemptLowerPriority or Never.
  readinessGates: Conditions that must hold, besides the containers' own readiness, for the pod to be ready.
  runtimeClassName: The class of container runtime that is to run the pod.
  overhead: What the pod needs besides its containers; follows from the runtime class.
  enableServiceLinks: Whether services of the namespace are told to containers as variables.
  os: The operating system of the containers.
  resourceClaims: Devices that are reserved for the pod, and that its containers may use.
  resources: What the pod needs and may use as a whole: cpu, memory and huge pages.
PodOS: An operating system.
  name: linux or windows.
PodSchedulingGate: Something that the pod waits for before it is scheduled.
  name: The gate's name, unique in the pod.
PodReadinessGate: A condition that must hold for the pod to be ready.
  conditionType: The type of the condition in the pod's status.
HostAlias: A line of /etc/hosts.
  ip: The address.
  hostnames: The names of that address.
PodDNSConfig: How names are resolved.
  nameservers: Addresses of servers, at most three.
  searches: Domains in which short names are looked up.
  options: Options of the resolver, as in resolv.conf.
PodDNSConfigOption: An option of the resolver.
  name: The option, such as ndots.
  value: Its value, where it has one.
PodResourceClaim: A claim to devices; exactly one of the two names is given.
  name: What containers call it.
  resourceClaimName: A claim that is there, in the pod's namespace.
  resourceClaimTemplateName: A template from which a claim is made for this pod.
PodSecurityContext: Users, groups and confinement of a pod.
  runAsUser: The id of the user as whom processes run.
  runAsGroup: The id of their group.
  runAsNonRoot: A container that would run as root is not started.
  supplementalGroups: Further groups of the processes.
  supplementalGroupsPolicy: Whether groups that the image gives the user count, too: Merge or Strict.
  fsGroup: The group that volumes belong to; the processes are in it.
  fsGroupChangePolicy: When volumes are given to fsGroup: Always, or OnRootMismatch.
  sysctls: Kernel parameters of the pod.
  seccompProfile: Which system calls there are.
  appArmorProfile: How AppArmor confines the processes.
  seLinuxOptions: Labels for SELinux.
  seLinuxChangePolicy: How volumes get their label: MountOption or Recursive.
  windowsOptions: Settings that only Windows has.
SecurityContext: Users and confinement of a container. What is said here goes before what the pod says.
  runAsUser: The id of the user as whom the process runs.
  runAsGroup: The id of its group.
  runAsNonRoot: The container is not started if it would run as root.
  privileged: The process may do what root on the node may.
  allowPrivilegeEscalation: Whether the process may gain more privileges than its parent has.
  readOnlyRootFilesystem: Nothing can be written but into volumes.
  capabilities: Privileges that are added or taken away.
  procMount: How much of /proc is seen: Default or Unmasked.
  seccompProfile: Which system calls there are.
  appArmorProfile: How AppArmor confines the process.
  seLinuxOptions: Labels for SELinux.
  windowsOptions: Settings that only Windows has.
Capabilities: Privileges of root, one by one.
  add: Added, such as NET_ADMIN.
  drop: Taken away; ALL takes every one.
SeccompProfile: Which system calls there are.
  type: RuntimeDefault, Unconfined, or Localhost for a file on the node.
  localhostProfile: The file, below the kubelet's folder for profiles.
AppArmorProfile: How AppArmor confines a process.
  type: RuntimeDefault, Unconfined, or Localhost for a profile that the node has.
  localhostProfile: The profile's name.
SELinuxOptions: A label for SELinux.
  user: The user of the label.
  role: The role of the label.
  type: The type of the label.
  level: The level of the label.
WindowsSecurityContextOptions: Settings that only Windows has.
  runAsUserName: The user as whom the process runs.
  hostProcess: The container runs as a process of the node.
  gmsaCredentialSpecName: The name of a credential of a managed service account.
  gmsaCredentialSpec: The credential itself.
Sysctl: A kernel parameter.
  name: The parameter, such as net.ipv4.tcp_syncookies.
  value: Its value.
Container: What runs in a pod: an image, a command, and what they need.
  name: Unique in the pod.
  image: The image, such as docker.io/library/nginx:1.27.
  imagePullPolicy: When the image is pulled: Always, IfNotPresent or Never. With the tag latest, Always if absent.
  command: What runs, in place of the image's entrypoint. $(NAME) stands for a variable.
  args: Arguments, in place of the image's own. $(NAME) stands for a variable.
  workingDir: The folder in which it runs.
  ports: Ports that it listens on. A port that is not named here is open all the same.
  env: Variables.
  envFrom: Variables from all keys of config maps or secrets.
  resources: What it needs and may use of cpu, memory and other resources.
  resizePolicy: What happens when its resources change: NotRequired, or RestartContainer.
  restartPolicy: Always on an init container makes it run beside the others.
  restartPolicyRules: By exit code, whether it runs again.
  volumeMounts: Where volumes are found in it.
  volumeDevices: Where block devices are found in it.
  livenessProbe: A check; when it fails, the container is restarted.
  readinessProbe: A check; while it fails, services do not send anything here.
  startupProbe: A check; until it succeeds, the other two wait.
  lifecycle: What is done after the start and before the end.
  terminationMessagePath: The file whose content is told as the reason of its end; /dev/termination-log if absent.
  terminationMessagePolicy: File, or FallbackToLogsOnError to tell the end of the log where the file is empty.
  securityContext: Users and confinement.
  stdin: Standard input stays open, for kubectl attach.
  stdinOnce: Standard input is closed when the first who attached has left.
  tty: It gets a terminal.
EphemeralContainer: A container that is added to a running pod to look into it. It is never restarted.
  targetContainerName: The container whose processes it sees.
  name: Unique in the pod.
  image: The image.
  command: What runs, in place of the image's entrypoint.
  args: Arguments, in place of the image's own.
  env: Variables.
  stdin: Standard input stays open.
  tty: It gets a terminal.
  volumeMounts: Where volumes are found in it.
ContainerPort: A port that a container listens on.
  name: What services and probes may call it.
  containerPort: The port in the container.
  hostPort: A port of the node that leads here.
  hostIP: The address of the node for hostPort; all of them if absent.
  protocol: TCP, UDP or SCTP.
EnvVar: A variable; its value is given, or taken from somewhere.
  name: The variable's name.
  value: The value. $(NAME) stands for a variable before it.
  valueFrom: Where the value comes from.
EnvVarSource: Where the value of a variable comes from; one of these.
  configMapKeyRef: A key of a config map.
  secretKeyRef: A key of a secret.
  fieldRef: A field of the pod, such as metadata.name or status.podIP.
  resourceFieldRef: An amount of a container, such as limits.memory.
  fileKeyRef: A key of a file in a volume.
ConfigMapKeySelector: A key of a config map.
  name: The config map.
  key: The key.
  optional: It is no error if it is absent.
SecretKeySelector: A key of a secret.
  name: The secret.
  key: The key.
  optional: It is no error if it is absent.
FileKeySelector: A key of a file of variables.
  volumeName: The volume, an emptyDir.
  path: The file.
  key: The variable.
  optional: It is no error if it is absent.
EnvFromSource: Where variables come from; one of the two.
  prefix: Stands before each name.
  configMapRef: A config map.
  secretRef: A secret.
ConfigMapEnvSource: A config map.
  name: The config map.
  optional: It is no error if it is absent.
SecretEnvSource: A secret.
  name: The secret.
  optional: It is no error if it is absent.
ObjectFieldSelector: A field of the pod.
  fieldPath: The field, such as metadata.labels['app'].
  apiVersion: The version in which the field is named: v1.
ResourceFieldSelector: An amount of a container.
  containerName: The container; needed in volumes.
  resource: Such as limits.cpu or requests.memory.
  divisor: The unit in which the amount is told.
ResourceRequirements: What is needed, and what may be used.
  requests: What is set aside, by resource: the scheduler looks for a node that has it. As limits if absent.
  limits: What may be used at most, by resource. More memory ends the container; more cpu is not given.
  claims: Devices, by the names of the pod's resourceClaims.
ResourceClaim: Devices that a container uses.
  name: One of the pod's resourceClaims.
  request: One request of that claim; all of them if absent.
ContainerResizePolicy: What happens when a resource changes.
  resourceName: cpu or memory.
  restartPolicy: NotRequired or RestartContainer.
ContainerRestartRule: Whether a container runs again.
  action: Restart.
  exitCodes: For which exit codes.
ContainerRestartRuleOnExitCodes: Some exit codes.
  operator: In or NotIn.
  values: The codes.
VolumeMount: Where a volume is found in a container.
  name: The volume.
  mountPath: The path in the container.
  readOnly: Nothing can be written there.
  recursiveReadOnly: Neither to what is mounted below: Disabled, IfPossible or Enabled.
  subPath: A part of the volume, in place of all of it.
  subPathExpr: The same, in which $(NAME) stands for a variable.
  mountPropagation: Whether mounts below are seen on both sides: None, HostToContainer or Bidirectional.
VolumeDevice: Where a block device is found in a container.
  name: The volume, of a claim whose volumeMode is Block.
  devicePath: The path in the container.
Probe: A check that is run again and again; one of exec, httpGet, tcpSocket and grpc.
  exec: A command in the container; it succeeds with exit code 0.
  httpGet: A request; it succeeds with a status from 200 to 399.
  tcpSocket: A connection; it succeeds if it can be opened.
  grpc: The health check of gRPC.
  initialDelaySeconds: How long after the start the first check is made.
  periodSeconds: How often it is made; every 10 seconds if absent.
  timeoutSeconds: How long an answer may take; 1 second if absent.
  successThreshold: So many successes in a row make it succeed; 1 if absent.
  failureThreshold: So many failures in a row make it fail; 3 if absent.
  terminationGracePeriodSeconds: How long the container has to end when this check ends it; the pod's own if absent.
ExecAction: A command.
  command: The command and its arguments. No shell reads it.
HTTPGetAction: A request.
  path: The path.
  port: The port, by number or name.
  host: The host; the pod's own address if absent.
  scheme: HTTP or HTTPS. Certificates are not verified.
  httpHeaders: Headers.
HTTPHeader: A header of a request.
  name: The name.
  value: The value.
TCPSocketAction: A connection.
  port: The port, by number or name.
  host: The host; the pod's own address if absent.
GRPCAction: The health check of gRPC.
  port: The port.
  service: What is asked for; the server as a whole if absent.
Lifecycle: What is done at turns of a container's life.
  postStart: Done right after the start. If it fails, the container is killed.
  preStop: Done before the container gets its signal; counts into the time that it has to end.
  stopSignal: The signal to stop; that of the image if absent.
LifecycleHandler: What is done; one of these.
  exec: A command in the container.
  httpGet: A request.
  sleep: Nothing, for a while.
  tcpSocket: Deprecated; does nothing.
SleepAction: Nothing, for a while.
  seconds: How long.
Affinity: Rules for nodes.
  nodeAffinity: By what nodes are.
  podAffinity: Near certain pods.
  podAntiAffinity: Away from certain pods.
NodeAffinity: Nodes by their labels and fields.
  requiredDuringSchedulingIgnoredDuringExecution: Only these nodes.
  preferredDuringSchedulingIgnoredDuringExecution: Rather these nodes, by weight.
NodeSelector: Nodes.
  nodeSelectorTerms: A node is meant if any of these holds for it.
NodeSelectorTerm: All of this holds for a node.
  matchExpressions: Of its labels.
  matchFields: Of its fields; only metadata.name.
NodeSelectorRequirement: Something that holds for a label.
  key: The label.
  operator: In, NotIn, Exists, DoesNotExist, Gt or Lt.
  values: What it is compared with.
PreferredSchedulingTerm: Nodes, and how much they are preferred.
  weight: From 1 to 100.
  preference: The nodes.
PodAffinity: Near certain pods.
  requiredDuringSchedulingIgnoredDuringExecution: Only there.
  preferredDuringSchedulingIgnoredDuringExecution: Rather there, by weight.
PodAntiAffinity: Away from certain pods.
  requiredDuringSchedulingIgnoredDuringExecution: Never there.
  preferredDuringSchedulingIgnoredDuringExecution: Rather not there, by weight.
PodAffinityTerm: Pods, and what near means.
  labelSelector: The pods.
  namespaces: Their namespaces; the pod's own if absent.
  namespaceSelector: Their namespaces, by labels.
  topologyKey: Near are nodes that have the same value for this label, such as topology.kubernetes.io/zone.
  matchLabelKeys: Labels whose values must be those of the pod itself.
  mismatchLabelKeys: Labels whose values must not be those of the pod itself.
WeightedPodAffinityTerm: Pods, and how much it matters.
  weight: From 1 to 100.
  podAffinityTerm: The pods.
Toleration: Taints that do not keep the pod away.
  key: The taint's key; all taints if absent, with Exists.
  operator: Equal or Exists. Equal if absent.
  value: The taint's value.
  effect: NoSchedule, PreferNoSchedule or NoExecute; all of them if absent.
  tolerationSeconds: With NoExecute, how long the pod stays; for ever if absent.
TopologySpreadConstraint: How evenly pods are spread.
  topologyKey: The label of nodes whose values are the domains over which pods are spread.
  maxSkew: How many more pods a domain may have than the one with the fewest.
  whenUnsatisfiable: DoNotSchedule, or ScheduleAnyway to only prefer it.
  labelSelector: Which pods count.
  minDomains: If there are fewer domains than this, the fewest counts as none.
  matchLabelKeys: Labels whose values must be those of the pod itself.
  nodeAffinityPolicy: Whether nodes count that the pod may not run on: Honor (they do not) or Ignore.
  nodeTaintsPolicy: Whether nodes count whose taints the pod does not tolerate: Honor (they do not) or Ignore.
`;
