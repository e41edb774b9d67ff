/**
 * The program of Kubernetes that does the work which is done here as `user`: it is under its name that changes stand in
 * managedFields, in conflicts of server-side apply and in audit logs.
 */
export function componentOf(user: string): string {
  if (user.startsWith('system:node:')) return 'kubelet';
  if (user.startsWith('system:serviceaccount:kube-system:')) return 'kube-controller-manager';
  if (user === 'kubernetes-admin') return 'kubets';
  return user.replace(/^system:/, '');
}
