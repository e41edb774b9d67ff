/** The version that the kubelet says it has. */
export const KUBELET_VERSION = 'v1.36.0+kubets';
