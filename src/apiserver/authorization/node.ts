/**
 * What a node's kubelet may do: what every node may, and of the rest only what its own pods need.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/node/
 */
import { NODE_RULES } from '../bootstrap/componentRoles.ts';
import type { Registry } from '../registry/registry.ts';
import type { User } from '../user.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { NodeStorage } from './nodeStorage.ts';
import { podRefersTo, type Referenced } from './podReferences.ts';
import { PodsByNode } from './podsByNode.ts';
import { ruleAllows } from './rules.ts';

const NODE_PREFIX = 'system:node:';
const NODES_GROUP = 'system:nodes';
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';

/** The node that a user is; undefined for everyone else. */
export function nodeOf(user: User): string | undefined {
  if (!user.name.startsWith(NODE_PREFIX) || !user.groups.includes(NODES_GROUP)) return undefined;
  return user.name.slice(NODE_PREFIX.length) || undefined;
}

const READ: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const CHANGE: ReadonlySet<string> = new Set(['update', 'patch']);
const OWN: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete']);

const ALLOWED: Decision = { allowed: true, reason: '' };

export class NodeAuthorizer implements Authorizer {
  readonly name = 'Node';
  readonly #pods: PodsByNode;
  readonly #storage: NodeStorage;

  constructor(registry: Registry) {
    this.#pods = new PodsByNode(registry);
    this.#storage = new NodeStorage(registry, this.#pods);
  }

  stop(): void {
    this.#pods.stop();
  }

  authorize(a: Attributes): Decision | undefined {
    const node = nodeOf(a.user);
    if (node === undefined) return undefined;
    if (a.isResource && this.#own(a, node)) return ALLOWED;
    for (const rule of NODE_RULES) if (ruleAllows(rule, a)) return ALLOWED;
    return undefined;
  }

  #own(a: Attributes, node: string): boolean {
    switch (`${a.group}/${a.resource}`) {
      case '/secrets':
        return (
          a.subresource === '' &&
          READ.has(a.verb) &&
          (this.#needs(node, a, 'secrets') || (a.name !== '' && this.#storage.needsSecret(node, a.namespace, a.name)))
        );
      case '/configmaps':
        return a.subresource === '' && READ.has(a.verb) && this.#needs(node, a, 'configmaps');
      case '/persistentvolumes':
        return a.subresource === '' && a.verb === 'get' && this.#storage.needsVolume(node, a.name);
      case 'storage.k8s.io/volumeattachments':
        return a.subresource === '' && a.verb === 'get' && this.#storage.isAttachment(node, a.name);
      case '/persistentvolumeclaims':
        return (
          (a.verb === 'get' || (a.subresource === 'status' && CHANGE.has(a.verb))) &&
          this.#needs(node, a, 'persistentvolumeclaims')
        );
      case '/serviceaccounts':
        return (
          (a.subresource === 'token' ? a.verb === 'create' : a.subresource === '' && a.verb === 'get') &&
          this.#needs(node, a, 'serviceaccounts')
        );
      case '/nodes':
        return a.name === node && ((READ.has(a.verb) && a.subresource === '') || this.#changesNode(a));
      case '/pods':
        return this.#mayPod(a, node);
      case 'coordination.k8s.io/leases':
        return (
          a.namespace === NODE_LEASE_NAMESPACE &&
          a.subresource === '' &&
          OWN.has(a.verb) &&
          // A create names the object in its body only; NodeRestriction looks at that.
          (a.name === node || (a.verb === 'create' && a.name === ''))
        );
      case 'storage.k8s.io/csinodes':
        return a.subresource === '' && OWN.has(a.verb) && (a.name === node || (a.verb === 'create' && a.name === ''));
      default:
        return false;
    }
  }

  #changesNode(a: Attributes): boolean {
    return (a.subresource === '' || a.subresource === 'status') && (CHANGE.has(a.verb) || a.verb === 'get');
  }

  #mayPod(a: Attributes, node: string): boolean {
    if (a.subresource === '' && (a.verb === 'list' || a.verb === 'watch') && a.name === '') {
      return (a.fieldSelector ?? '').split(',').some((term) => /^spec\.nodeName==?(.*)$/.exec(term)?.[1] === node);
    }
    const may =
      a.subresource === ''
        ? a.verb === 'get' || a.verb === 'delete' || a.verb === 'list' || a.verb === 'watch'
        : a.subresource === 'status'
          ? CHANGE.has(a.verb) || a.verb === 'get'
          : a.subresource === 'eviction' && a.verb === 'create';
    if (!may || a.name === '') return false;
    const pod = this.#pods.pod(a.namespace, a.name);
    if (pod !== undefined) return pod.spec?.nodeName === node;
    // A pod that is gone is answered as such; what may still become another node's pod is not waited for.
    return a.verb !== 'list' && a.verb !== 'watch' && this.#pods.ready;
  }

  /** Whether a pod of the node refers to the object. */
  #needs(node: string, a: Attributes, resource: Referenced): boolean {
    if (a.name === '' || a.namespace === '') return false;
    for (const pod of this.#pods.of(node)) {
      if (pod.metadata.namespace === a.namespace && podRefersTo(pod, resource, a.name)) return true;
    }
    return false;
  }
}
