/** The kinds that every API server serves. To add a kind, add its file and name it here. */
import type { Kind } from '../machinery/kind.ts';
import { mutatingAdmissionPolicies } from './admissionregistration/mutatingAdmissionPolicy.ts';
import { mutatingAdmissionPolicyBindings } from './admissionregistration/mutatingAdmissionPolicyBinding.ts';
import { mutatingWebhookConfigurations } from './admissionregistration/mutatingWebhookConfiguration.ts';
import { validatingAdmissionPolicies } from './admissionregistration/validatingAdmissionPolicy.ts';
import { validatingAdmissionPolicyBindings } from './admissionregistration/validatingAdmissionPolicyBinding.ts';
import { validatingWebhookConfigurations } from './admissionregistration/validatingWebhookConfiguration.ts';
import { customResourceDefinitions } from './apiextensions/customResourceDefinition.ts';
import { apiServices } from './apiregistration/apiService.ts';
import { controllerRevisions } from './apps/controllerRevision.ts';
import { daemonSets } from './apps/daemonSet.ts';
import { deployments } from './apps/deployment.ts';
import { replicaSets } from './apps/replicaSet.ts';
import { statefulSets } from './apps/statefulSet.ts';
import { selfSubjectReviews } from './authentication/selfSubjectReview.ts';
import { tokenRequests } from './authentication/tokenRequest.ts';
import { tokenReviews } from './authentication/tokenReview.ts';
import { localSubjectAccessReviews } from './authorization/localSubjectAccessReview.ts';
import { selfSubjectAccessReviews } from './authorization/selfSubjectAccessReview.ts';
import { selfSubjectRulesReviews } from './authorization/selfSubjectRulesReview.ts';
import { subjectAccessReviews } from './authorization/subjectAccessReview.ts';
import { horizontalPodAutoscalers } from './autoscaling/horizontalPodAutoscaler.ts';
import { horizontalPodAutoscalersV1 } from './autoscaling/horizontalPodAutoscalerV1.ts';
import { scales } from './autoscaling/scale.ts';
import { cronJobs } from './batch/cronJob.ts';
import { jobs } from './batch/job.ts';
import { certificateSigningRequests } from './certificates/certificateSigningRequest.ts';
import { leases } from './coordination/lease.ts';
import { bindings } from './core/binding.ts';
import { componentStatuses } from './core/componentStatus.ts';
import { configMaps } from './core/configMap.ts';
import { endpoints } from './core/endpoints.ts';
import { events } from './core/event.ts';
import { limitRanges } from './core/limitRange.ts';
import { namespaces } from './core/namespace.ts';
import { nodes } from './core/node.ts';
import { persistentVolumes } from './core/persistentVolume.ts';
import { persistentVolumeClaims } from './core/persistentVolumeClaim.ts';
import { pods } from './core/pod.ts';
import { podTemplates } from './core/podTemplate.ts';
import { replicationControllers } from './core/replicationController.ts';
import { resourceQuotas } from './core/resourceQuota.ts';
import { secrets } from './core/secret.ts';
import { services } from './core/service.ts';
import { serviceAccounts } from './core/serviceAccount.ts';
import { endpointSlices } from './discovery/endpointSlice.ts';
import { events as newEvents } from './events/event.ts';
import { flowSchemas } from './flowcontrol/flowSchema.ts';
import { priorityLevelConfigurations } from './flowcontrol/priorityLevelConfiguration.ts';
import { nodeMetrics } from './metrics/nodeMetrics.ts';
import { podMetrics } from './metrics/podMetrics.ts';
import { ingresses } from './networking/ingress.ts';
import { ingressClasses } from './networking/ingressClass.ts';
import { ipAddresses } from './networking/ipAddress.ts';
import { networkPolicies } from './networking/networkPolicy.ts';
import { serviceCIDRs } from './networking/serviceCIDR.ts';
import { runtimeClasses } from './node/runtimeClass.ts';
import { evictions } from './policy/eviction.ts';
import { podDisruptionBudgets } from './policy/podDisruptionBudget.ts';
import { clusterRoles } from './rbac/clusterRole.ts';
import { clusterRoleBindings } from './rbac/clusterRoleBinding.ts';
import { roles } from './rbac/role.ts';
import { roleBindings } from './rbac/roleBinding.ts';
import { deviceClasses } from './resource/deviceClass.ts';
import { resourceClaims } from './resource/resourceClaim.ts';
import { resourceClaimTemplates } from './resource/resourceClaimTemplate.ts';
import { resourceSlices } from './resource/resourceSlice.ts';
import { priorityClasses } from './scheduling/priorityClass.ts';
import { csiDrivers } from './storage/csiDriver.ts';
import { csiNodes } from './storage/csiNode.ts';
import { csiStorageCapacities } from './storage/csiStorageCapacity.ts';
import { storageClasses } from './storage/storageClass.ts';
import { volumeAttachments } from './storage/volumeAttachment.ts';
import { volumeAttributesClasses } from './storage/volumeAttributesClass.ts';

/** Every resource with a path of its own. */
export const builtinKinds: readonly Kind[] = [
  pods,
  nodes,
  namespaces,
  serviceAccounts,
  secrets,
  configMaps,
  services,
  endpoints,
  events,
  newEvents,
  limitRanges,
  resourceQuotas,
  componentStatuses,
  bindings,
  podTemplates,
  replicationControllers,
  deployments,
  replicaSets,
  statefulSets,
  daemonSets,
  controllerRevisions,
  jobs,
  cronJobs,
  horizontalPodAutoscalers,
  horizontalPodAutoscalersV1,
  podDisruptionBudgets,
  roles,
  clusterRoles,
  roleBindings,
  clusterRoleBindings,
  leases,
  endpointSlices,
  priorityClasses,
  certificateSigningRequests,
  flowSchemas,
  priorityLevelConfigurations,
  customResourceDefinitions,
  apiServices,
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  resourceClaims,
  resourceClaimTemplates,
  deviceClasses,
  resourceSlices,
  tokenReviews,
  selfSubjectReviews,
  subjectAccessReviews,
  selfSubjectAccessReviews,
  localSubjectAccessReviews,
  selfSubjectRulesReviews,
  persistentVolumes,
  persistentVolumeClaims,
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  storageClasses,
  volumeAttachments,
  volumeAttributesClasses,
  ingresses,
  ingressClasses,
  ipAddresses,
  networkPolicies,
  serviceCIDRs,
  runtimeClasses,
];

/** What is measured, for an API server that is to tell of it. */
export const resourceMetricsKinds: readonly Kind[] = [nodeMetrics, podMetrics];

/** Kinds that are sent to or answered by a subresource only. */
export const subresourceKinds: readonly Kind[] = [scales, tokenRequests, evictions];
