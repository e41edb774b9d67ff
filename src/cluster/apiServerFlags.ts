/** What a cluster's API server is told besides: flags that kube-apiserver has, too, kept in the cluster's configuration. */
import { join, resolve } from 'node:path';
import { type AuthorizationMode, parseAuthorizationModes } from '../apiserver/authorization/modes.ts';
import type { ApiServerOptions } from '../apiserver/options.ts';
import type { ClusterPaths } from './config.ts';
import { ClusterError } from './errors.ts';

/** An empty text takes back what was said earlier. */
export interface ApiServerFlags {
  /** YAML: audit.k8s.io/v1 Policy */
  readonly auditPolicyFile?: string;
  readonly auditLogPath?: string;
  /** `Node,RBAC,ABAC` */
  readonly authorizationMode?: string;
  /** for ABAC */
  readonly authorizationPolicyFile?: string;
  readonly anonymousAuth?: boolean;
}

const FILES = ['auditPolicyFile', 'auditLogPath', 'authorizationPolicyFile'] as const;

/** What is known already with what is wished now; undefined where there is nothing. @throws ClusterError */
export function mergedFlags(known: ApiServerFlags | undefined, wishes: ApiServerFlags): ApiServerFlags | undefined {
  const { authorizationMode, anonymousAuth } = wishes;
  const merged: Record<string, unknown> = { ...known };
  for (const name of FILES) {
    const path = wishes[name];
    // The process that reads it runs elsewhere.
    if (path !== undefined) merged[name] = path === '' || path === '-' ? path : resolve(path);
  }
  if (authorizationMode !== undefined) merged.authorizationMode = authorizationMode;
  if (anonymousAuth !== undefined) merged.anonymousAuth = anonymousAuth;
  for (const [name, value] of Object.entries(merged)) if (value === '') delete merged[name];
  const flags = merged as ApiServerFlags;
  if (flags.auditLogPath !== undefined && flags.auditPolicyFile === undefined) {
    throw new ClusterError('--audit-log-path needs --audit-policy-file: without a policy nothing is written down');
  }
  modesOf(flags);
  return Object.keys(merged).length === 0 ? undefined : flags;
}

/** The same as options of the API server. @throws ClusterError */
export function apiServerOptions(
  flags: ApiServerFlags | undefined,
  paths: Pick<ClusterPaths, 'dataDir'>,
): Pick<ApiServerOptions, 'audit' | 'authorization' | 'anonymous'> {
  if (flags === undefined) return {};
  const { auditPolicyFile, auditLogPath, authorizationPolicyFile: policyFile, anonymousAuth } = flags;
  const modes = modesOf(flags);
  return {
    ...(auditPolicyFile === undefined
      ? {}
      : { audit: { policyFile: auditPolicyFile, logPath: auditLogPath ?? join(paths.dataDir, 'logs/audit.log') } }),
    ...(modes === undefined && policyFile === undefined
      ? {}
      : { authorization: { modes: modes ?? ['Node', 'RBAC'], ...(policyFile === undefined ? {} : { policyFile }) } }),
    ...(anonymousAuth === undefined ? {} : { anonymous: anonymousAuth }),
  };
}

function modesOf({ authorizationMode, authorizationPolicyFile }: ApiServerFlags): AuthorizationMode[] | undefined {
  if (authorizationMode === undefined) return undefined;
  try {
    const modes = parseAuthorizationModes(authorizationMode);
    if (modes.includes('ABAC') && authorizationPolicyFile === undefined) {
      throw new ClusterError('--authorization-mode ABAC needs --authorization-policy-file');
    }
    return modes;
  } catch (error) {
    throw error instanceof ClusterError ? error : new ClusterError((error as Error).message);
  }
}
