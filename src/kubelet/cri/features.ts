/** What the container runtime can do that not every one can, as it says in its status. */
import type { NodeFeatures, NodeRuntimeHandler } from '../../apis/core/node.ts';
import type { CallResponse, RuntimeHandler } from './calls.ts';

export class RuntimeFeatures {
  #handlers: readonly RuntimeHandler[] = [];
  #supplementalGroupsPolicy: boolean | undefined;

  /** The runtime says this of itself. */
  update({ runtime_handlers: handlers = [], features }: CallResponse<'status'>): void {
    this.#handlers = handlers;
    this.#supplementalGroupsPolicy = features === undefined ? undefined : features.supplemental_groups_policy === true;
  }

  /** Whether groups of the image can be kept from a process. */
  get supplementalGroupsPolicy(): boolean {
    return this.#supplementalGroupsPolicy === true;
  }

  /** Whether what is mounted below a volume can be read only, too. @param handler undefined: the usual one */
  recursiveReadOnly(handler: string | undefined): boolean {
    const found = this.#handlers.find(({ name = '' }) => name === (handler ?? ''));
    return found?.features?.recursive_read_only_mounts === true;
  }

  /** As the node's status says it; nothing where the runtime says nothing. */
  ofNode(): { readonly runtimeHandlers?: NodeRuntimeHandler[]; readonly features?: NodeFeatures } {
    const runtimeHandlers = this.#handlers.map(({ name = '', features }) => ({
      name,
      features: {
        recursiveReadOnlyMounts: features?.recursive_read_only_mounts === true,
        userNamespaces: features?.user_namespaces === true,
      },
    }));
    return {
      ...(runtimeHandlers.length === 0 ? {} : { runtimeHandlers }),
      ...(this.#supplementalGroupsPolicy === undefined
        ? {}
        : { features: { supplementalGroupsPolicy: this.#supplementalGroupsPolicy } }),
    };
  }
}
