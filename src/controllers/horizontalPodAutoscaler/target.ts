/** The scale of what an autoscaler scales: of any resource that has the subresource. */
import { type Scale, scales } from '../../apis/autoscaling/scale.ts';
import type { Client } from '../../client/client.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { ScalingFailure } from './failure.ts';
import { type FoundResource, type KindReference, resourcesOf } from './resources.ts';

export interface Target {
  readonly scale: Stored<Scale>;
  /** @throws ApiError where it is refused */
  setReplicas(replicas: number): Promise<void>;
}

interface TargetReference extends KindReference {
  readonly name: string;
}

/** @throws Error where the target's scale cannot be read */
export async function targetOf(
  client: Client,
  namespace: string,
  reference: TargetReference,
  signal: AbortSignal,
): Promise<Target> {
  const ref = { namespace, name: reference.name };
  let failure: unknown;
  for (const resource of await resourcesOf(client, reference, signal)) {
    const kind = scaleKindOf(resource);
    try {
      const scale = await client.get(kind, ref, { subresource: 'scale', signal });
      return {
        scale,
        async setReplicas(replicas) {
          const changed: Scale = { ...scale, metadata: { ...scale.metadata, ...ref }, spec: { replicas } };
          await client.update(kind, changed, { subresource: 'scale', signal });
        },
      };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? new ScalingFailure('no resource was found');
}

/** Scales, where those of the resource are: the client needs to know of a kind only its path. */
const scaleKindOf = ({ group, version, plural }: FoundResource): Kind<Scale> => ({ ...scales, group, version, plural });
