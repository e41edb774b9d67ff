/** Configuration, nodes, storage, rights and the like, in words, for `kubectl explain`. */
export const CLUSTER = `
# io.k8s.api.core.v1
Namespace: A room for names: objects in it do not meet those of others.
NamespaceSpec: What keeps a namespace.
  finalizers: Who must have cleaned up before it is gone.
NamespaceStatus: How a namespace is.
  phase: Active or Terminating.
  conditions: What holds up its end.
ConfigMap: Configuration, as keys and values.
  data: Texts by key.
  binaryData: Bytes by key, in base64.
  immutable: The values cannot be changed any more.
Secret: Passwords, keys and the like, as keys and values.
  data: Bytes by key, in base64.
  stringData: Texts by key; they are written into data and never read back.
  type: What it is for, such as kubernetes.io/tls; Opaque if absent. It cannot be changed.
  immutable: The values cannot be changed any more.
ServiceAccount: An identity for processes in pods.
  secrets: Secrets that its pods may use; hardly needed any more.
  imagePullSecrets: Credentials for registries that its pods get.
  automountServiceAccountToken: Whether its pods find a token.
Node: A machine that runs pods.
NodeSpec: What is wanted of a node.
  unschedulable: No new pods are placed here; set by kubectl cordon.
  taints: Keep pods away that do not tolerate them.
  podCIDR: The range of its pods' addresses.
  podCIDRs: The ranges of its pods' addresses, one for each family.
  providerID: What the provider of the machine calls it.
Taint: Keeps pods away that do not tolerate it.
  key: Its name.
  value: Its value.
  effect: NoSchedule, PreferNoSchedule, or NoExecute to make pods leave.
  timeAdded: Since when it has been there.
NodeStatus: How a node is.
  capacity: What the machine has, by resource.
  allocatable: What of it pods can have.
  conditions: What holds of it: Ready, MemoryPressure, DiskPressure, PIDPressure.
  addresses: Under which it is reached.
  nodeInfo: Its kernel, runtime and versions.
  images: Images that it has.
  daemonEndpoints: The port of its kubelet.
  volumesInUse: Volumes that its pods use.
  volumesAttached: Volumes that are attached to it.
  runtimeHandlers: What its container runtime can do.
NodeCondition: Something that holds of a node, or does not.
  type: What it is about, such as Ready.
  reason: Why, in a word.
  message: Why, for people.
  lastHeartbeatTime: When it was told last.
  lastTransitionTime: Since when it has been so.
NodeAddress: An address of a node.
  type: InternalIP, ExternalIP or Hostname.
  address: The address.
NodeSystemInfo: What a node runs.
  machineID: The id of the machine.
  bootID: Changes with each boot.
  kernelVersion: The kernel.
  osImage: The operating system, for people.
  operatingSystem: linux.
  architecture: Such as amd64.
  containerRuntimeVersion: The container runtime.
  kubeletVersion: The kubelet.
PersistentVolume: A piece of storage of the cluster.
PersistentVolumeClaim: Asks for a piece of storage, and keeps it.
PersistentVolumeClaimStatus: What a claim has got.
  conditions: What holds of it, such as Resizing.
  allocatedResources: What it will have when it has been resized.
VolumeResourceRequirements: How large a volume must be.
  requests: At least so much, as storage.
  limits: At most so much, as storage.
TypedLocalObjectReference: An object of the same namespace.
  apiGroup: Its group.
  name: Its name.
TypedObjectReference: An object.
  apiGroup: Its group.
  name: Its name.
  namespace: Its namespace; the same if absent.
LocalObjectReference: An object of the same namespace.
  name: Its name.
SecretReference: A secret.
  name: Its name.
  namespace: Its namespace.
ObjectReference: An object.
  namespace: Its namespace.
  name: Its name.
  uid: Its uid.
  resourceVersion: The version of it that is meant.
  fieldPath: The part of it that is meant.
LimitRange: What containers, pods and claims of a namespace may ask for, and get if they do not ask.
LimitRangeSpec: The limits.
  limits: One for each type.
LimitRangeItem: Limits for one type of object.
  type: Container, Pod or PersistentVolumeClaim.
  min: At least so much, by resource.
  max: At most so much, by resource.
  default: The limits that a container gets that names none.
  defaultRequest: The requests that a container gets that names none.
  maxLimitRequestRatio: A limit may be so many times the request.
ResourceQuota: What a namespace may use at most.
ResourceQuotaSpec: What may be used.
  hard: By resource or kind, such as requests.cpu, pods or count/jobs.batch.
  scopes: Only these pods count: Terminating, NotTerminating, BestEffort, NotBestEffort, PriorityClass.
  scopeSelector: The same, with values.
ResourceQuotaStatus: What is used.
  hard: What may be used.
  used: What is used.
Event: Something that has happened to an object.
  involvedObject: The object.
  reason: Why, in a word.
  message: What happened, for people.
  source: Who tells of it.
  type: Normal or Warning.
  count: How often it happened.
  firstTimestamp: When it happened first.
  lastTimestamp: When it happened last.
ComponentStatus: How a part of the control plane is. Deprecated.
Binding: Places a pod on a node.
  target: The node.
# io.k8s.api.events.v1
Event: Something that has happened to an object.
  regarding: The object.
  reason: Why, in a word.
  note: What happened, for people.
  type: Normal or Warning.
  action: What was done.
  reportingController: Who tells of it.
  reportingInstance: Which of them.
  related: Another object that it is about.
  series: How often it happened.
# io.k8s.api.rbac.v1
Role: Rights in one namespace.
  rules: What is allowed.
ClusterRole: Rights, for all namespaces or to be given in one.
  rules: What is allowed.
  aggregationRule: The rules are those of other roles, by their labels.
AggregationRule: Roles whose rules are joined.
  clusterRoleSelectors: Which.
RoleBinding: Gives the rights of a role to somebody, in one namespace.
  subjects: To whom.
  roleRef: The role. It cannot be changed.
ClusterRoleBinding: Gives the rights of a role to somebody, everywhere.
  subjects: To whom.
  roleRef: The role. It cannot be changed.
PolicyRule: What is allowed.
  verbs: Such as get, list, watch, create, update, patch, delete; * for all.
  apiGroups: Groups of resources; "" is the core group, * all.
  resources: Such as pods or pods/log; * for all.
  resourceNames: Only objects of these names; all if absent.
  nonResourceURLs: Paths that are no resources, such as /healthz.
RoleRef: A role.
  apiGroup: rbac.authorization.k8s.io.
  name: Its name.
Subject: Somebody.
  apiGroup: rbac.authorization.k8s.io for users and groups, "" for service accounts.
  name: The name.
  namespace: Of a service account.
# io.k8s.api.scheduling.v1
PriorityClass: How important pods are.
  value: The higher, the more important. It cannot be changed.
  globalDefault: For pods that name no class.
  description: When to use it, for people.
  preemptionPolicy: Whether less important pods may be removed to make room: PreemptLowerPriority or Never.
# io.k8s.api.coordination.v1
Lease: Something that one holder has for a time, such as leadership.
LeaseSpec: Who has it.
  holderIdentity: Who.
  leaseDurationSeconds: Others wait so long after renewTime before they take it.
  acquireTime: Since when.
  renewTime: When it was renewed last.
  leaseTransitions: How often it has passed from one to another.
# io.k8s.api.certificates.v1
CertificateSigningRequest: Asks for a certificate.
CertificateSigningRequestSpec: What is asked for, and by whom.
  username: Who asks; filled in by the server.
  groups: The groups of who asks.
CertificateSigningRequestStatus: What has come of it.
  conditions: Approved, Denied or Failed.
# io.k8s.api.storage.v1
StorageClass: A kind of storage that volumes are made of.
VolumeAttachment: A volume that is, or is to be, attached to a node.
VolumeAttachmentSource: The volume; one of the two.
  persistentVolumeName: A persistent volume.
CSIDriver: What a CSI driver can do, and needs.
CSINode: The CSI drivers of a node.
CSIStorageCapacity: How much room a class of storage has in a part of the cluster.
VolumeAttributesClass: Attributes of volumes that can be changed while they are used.
# io.k8s.api.node.v1
RuntimeClass: A way in which a node's runtime runs containers.
Scheduling: Nodes that can.
  nodeSelector: By their labels.
  tolerations: Taints of theirs that pods then tolerate.
# io.k8s.api.admissionregistration.v1
MutatingWebhookConfiguration: Servers that may change objects before they are stored.
ValidatingWebhookConfiguration: Servers that may refuse objects before they are stored.
ValidatingAdmissionPolicy: Rules in CEL by which objects are refused.
ValidatingAdmissionPolicyBinding: Where a policy holds, and what its breach leads to.
MutatingAdmissionPolicy: Changes in CEL that are made to objects before they are stored.
MutatingAdmissionPolicyBinding: Where a policy holds.
# io.k8s.api.flowcontrol.v1
FlowSchema: Which requests are of which priority.
PriorityLevelConfiguration: How many requests of a priority are worked on at a time.
# io.k8s.api.resource.v1
ResourceClaim: Asks for devices, and keeps them.
ResourceClaimTemplate: What claims for pods are made from.
DeviceClass: Devices that are alike.
ResourceSlice: Devices that a driver has on a node.
# io.k8s.api.authentication.v1
TokenReview: Asks whose token this is.
TokenRequest: Asks for a token of a service account.
SelfSubjectReview: Asks who I am.
# io.k8s.api.authorization.v1
SubjectAccessReview: Asks whether somebody may do something.
LocalSubjectAccessReview: Asks whether somebody may do something in a namespace.
SelfSubjectAccessReview: Asks whether I may do something.
SelfSubjectRulesReview: Asks what I may do in a namespace.
# io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1
CustomResourceDefinition: A kind of object that is added to the API.
CustomResourceDefinitionSpec: The kind.
  group: Its group, such as example.com.
  names: What it is called.
  scope: Namespaced or Cluster.
  versions: In which versions it is served; one of them is stored.
  conversion: How one version becomes another.
CustomResourceDefinitionNames: What a kind is called.
  kind: Such as CronTab.
  plural: Such as crontabs; stands in paths.
  singular: Such as crontab.
  shortNames: For kubectl.
  categories: For kubectl, such as all.
  listKind: Such as CronTabList.
CustomResourceDefinitionVersion: A version of a kind.
  name: Such as v1.
  served: It can be read and written.
  storage: It is the one that is stored.
  schema: What objects look like.
  subresources: status and scale, where it has them.
  additionalPrinterColumns: Columns of kubectl get.
  selectableFields: Fields by which objects can be selected.
  deprecated: Who uses it is warned.
  deprecationWarning: With these words.
# io.k8s.kube-aggregator.pkg.apis.apiregistration.v1
APIService: A group and version of the API, and who serves it.
# io.k8s.apimachinery.pkg.apis.meta.v1
Condition: Something that holds, or does not.
  type: What it is about.
  reason: Why, in a word.
  message: Why, for people.
  lastTransitionTime: Since when it has been so.
  observedGeneration: The generation of the object that it is about.
LabelSelector: Objects by their labels. An empty one means all.
  matchLabels: Labels that they have.
  matchExpressions: What else holds of their labels.
LabelSelectorRequirement: Something that holds of a label.
  key: The label.
  operator: In, NotIn, Exists or DoesNotExist.
  values: What it is compared with.
OwnerReference: An object without which this one goes, too.
  name: Its name.
  uid: Its uid.
  controller: It is the one that looks after this object.
  blockOwnerDeletion: It is not gone before this object is, when it is deleted in the foreground.
ObjectMeta: What every object has.
ListMeta: What every list has.
`;
