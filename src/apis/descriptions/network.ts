/** Services and what leads to them, in words, for `kubectl explain`. */
export const NETWORK = `
# io.k8s.api.core.v1
Service: A stable address for a set of pods.
ServiceSpec: What is wanted of a service.
  ports: Ports that it has.
  clusterIPs: Its addresses, one for each family.
  loadBalancerIP: An address that the load balancer should have. Deprecated.
  loadBalancerSourceRanges: Who may use the load balancer.
  loadBalancerClass: Who is to make the load balancer.
  allocateLoadBalancerNodePorts: Whether a load balancer gets ports of the nodes, too.
  healthCheckNodePort: The port on which nodes tell a load balancer whether they have endpoints.
  publishNotReadyAddresses: Pods that are not ready are found, too.
  sessionAffinityConfig: How long a client stays with a pod.
ServicePort: A port of a service.
  name: Its name; needed where there are several.
  protocol: TCP, UDP or SCTP.
  port: The port.
  appProtocol: What is spoken there, such as https or kubernetes.io/h2c.
SessionAffinityConfig: How clients stay with a pod.
  clientIP: By their address.
ClientIPConfig: How long a client stays with a pod.
  timeoutSeconds: So long after its last connection; three hours if absent.
ServiceStatus: What a service has got.
  loadBalancer: Where its load balancer is.
  conditions: What holds of it.
LoadBalancerStatus: Where a load balancer is.
  ingress: Its addresses.
LoadBalancerIngress: An address of a load balancer.
  ip: The address.
  hostname: The name.
  ipMode: VIP, or Proxy where packets come with another address.
  ports: Its ports.
Endpoints: The addresses behind a service. EndpointSlices have taken their place.
  subsets: Addresses, with the ports that they have.
EndpointSubset: Addresses that have the same ports.
  addresses: Those that are ready.
  notReadyAddresses: Those that are not.
  ports: Their ports.
EndpointAddress: An address.
  ip: The address.
  hostname: Its name.
  nodeName: The node that it is on.
  targetRef: The pod.
# io.k8s.api.discovery.v1
EndpointSlice: Some of the addresses behind a service.
  addressType: IPv4, IPv6 or FQDN. It cannot be changed.
  endpoints: The addresses.
  ports: The ports of all of them.
Endpoint: One pod behind a service.
  addresses: Its addresses.
  conditions: How it is.
  hostname: Its name.
  nodeName: The node that it is on.
  zone: The zone of that node.
  targetRef: The pod.
  hints: For whom it is best.
EndpointConditions: How an endpoint is.
  ready: It can be used.
  serving: It answers, be it about to end or not.
  terminating: It is about to end.
EndpointPort: A port of endpoints.
  name: Its name.
  protocol: TCP, UDP or SCTP.
  port: The port.
  appProtocol: What is spoken there.
# io.k8s.api.networking.v1
Ingress: Leads requests from outside to services, by host and path.
IngressRule: What is done with requests for a host.
  http: By path.
HTTPIngressRuleValue: What is done, by path.
  paths: The longest that fits counts.
IngressBackend: Where requests go; one of the two.
  service: A service.
  resource: Another object.
IngressServiceBackend: A service.
  name: Its name.
  port: Its port.
ServiceBackendPort: A port of a service; one of the two.
  name: By name.
  number: By number.
IngressTLS: A certificate.
  hosts: For these hosts.
  secretName: The secret that holds it.
IngressStatus: Where an ingress is.
  loadBalancer: Its addresses.
IngressClass: Who looks after ingresses.
NetworkPolicy: Who may talk to pods, and with whom they may.
NetworkPolicyIngressRule: Who may talk to the pods.
  from: Who; everybody if absent.
  ports: On which ports; all if absent.
NetworkPolicyEgressRule: With whom the pods may talk.
  to: With whom; everybody if absent.
  ports: On which ports; all if absent.
NetworkPolicyPeer: Somebody.
  podSelector: Pods by their labels, of the same namespace if no other is given.
  namespaceSelector: Namespaces by their labels.
  ipBlock: A range of addresses; nothing else may be given then.
IPAddress: An address that is taken.
ServiceCIDR: A range from which services get their addresses.
ServiceCIDRStatus: How a range is.
  conditions: What holds of it: Ready.
`;
