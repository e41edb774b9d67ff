/** The scale subresource: the number of replicas of whatever has one, in one form for all. */

import { type Scale, scales } from '../../apis/autoscaling/scale.ts';
import { cloneJson } from '../../machinery/clone.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import type { JsonObject } from '../../machinery/schema/types.ts';
import { apiError, invalidObject, notFound } from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import type { RequestBody, RequestContext } from '../context.ts';
import type { ApiServerParts } from '../stage.ts';
import { APPLY_TYPE, applyOptions, applyTo, decodeConfig, parseConfig } from './apply.ts';
import { assertMatchesPath, decodeObject, parseBody } from './objects.ts';
import { applyPatch, patchOf } from './patch.ts';
import { changeObject } from './update.ts';

export async function scaleVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Promise<Answer> {
  const cache = parts.registry.cache(kind);
  await cache.freshen();
  const answer = (object: KubeObject): Answer => ({
    type: 'object',
    status: 200,
    object: scaleOf(kind, object),
    kind: scales as unknown as Kind,
  });
  switch (ctx.info.verb) {
    case 'get': {
      const object = cache.object(ctx.info.namespace, ctx.info.name);
      if (object === undefined) throw notFound(kind, ctx.info.name);
      return answer(object);
    }
    case 'update': {
      const scale = decodeObject(ctx, scales as unknown as Kind, await parseBody(await ctx.readBody())) as Scale;
      return answer(await change(parts, ctx, kind, () => scale));
    }
    case 'patch': {
      const body = await ctx.readBody();
      if (body.contentType === APPLY_TYPE) return answer(await applyScale(parts, ctx, kind, body));
      const { patch, contentType } = patchOf(body);
      const changed = await change(parts, ctx, kind, (old) => {
        const value = applyPatch(
          scales as unknown as Kind,
          contentType,
          scaleOf(kind, old) as unknown as JsonObject,
          patch,
        );
        const scale = decodeObject(ctx, scales as unknown as Kind, { value, duplicates: [] }) as Scale;
        // What the patch says nothing of is no condition: it is tried again when somebody was faster.
        if (scale.metadata?.resourceVersion === old.metadata?.resourceVersion) delete scale.metadata?.resourceVersion;
        return scale;
      });
      return answer(changed);
    }
    default:
      throw apiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
}

/** Applies the number of replicas to the object itself, where it is owned by the field that holds it. */
async function applyScale(
  parts: ApiServerParts,
  ctx: RequestContext,
  kind: Kind,
  body: RequestBody,
): Promise<KubeObject> {
  const options = applyOptions(parts, ctx);
  const scale = decodeConfig(ctx, scales as unknown as Kind, await parseConfig(body)) as Scale;
  assertMatchesPath(ctx, scale.metadata ?? {});
  const replicas = scale.spec?.replicas;
  assertReplicas(ctx, replicas ?? 0);
  const { uid, resourceVersion } = scale.metadata ?? {};
  const metadata = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const config = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata } as KubeObject;
  if (replicas !== undefined) kind.scale?.setSpecReplicas(config, replicas);
  const application = { ...options, config, shownAs: 'autoscaling/v1' };
  const answer = await changeObject(parts, ctx, kind, (old) => applyTo(parts, kind, old, application), { owned: true });
  return answer.type === 'entry' ? answer.entry.object : (answer as { object: KubeObject }).object;
}

function assertReplicas(ctx: RequestContext, replicas: number): void {
  if (replicas >= 0) return;
  throw invalidObject({ group: 'autoscaling', kind: 'Scale' }, ctx.info.name, [
    {
      type: 'FieldValueInvalid',
      field: 'spec.replicas',
      value: replicas,
      detail: 'must be greater than or equal to 0',
    },
  ]);
}

async function change(
  parts: ApiServerParts,
  ctx: RequestContext,
  kind: Kind,
  scaleFor: (old: KubeObject) => Scale,
): Promise<KubeObject> {
  const answer = await changeObject(parts, ctx, kind, (old) => {
    const scale = scaleFor(old);
    const replicas = scale.spec?.replicas ?? 0;
    assertReplicas(ctx, replicas);
    const object = cloneJson(old);
    kind.scale?.setSpecReplicas(object, replicas);
    const version = scale.metadata?.resourceVersion;
    // The clone was made from an object with metadata.
    if (object.metadata !== undefined) {
      if (version === undefined || version === '') delete object.metadata.resourceVersion;
      else object.metadata.resourceVersion = version;
    }
    return object;
  });
  return answer.type === 'entry' ? answer.entry.object : (answer as { object: KubeObject }).object;
}

function scaleOf(kind: Kind, object: KubeObject): Scale {
  const meta = object.metadata ?? {};
  const rules = kind.scale;
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: {
      ...(meta.name === undefined ? {} : { name: meta.name }),
      ...(meta.namespace === undefined ? {} : { namespace: meta.namespace }),
      ...(meta.uid === undefined ? {} : { uid: meta.uid }),
      ...(meta.resourceVersion === undefined ? {} : { resourceVersion: meta.resourceVersion }),
      ...(meta.creationTimestamp === undefined ? {} : { creationTimestamp: meta.creationTimestamp }),
    },
    spec: { replicas: rules?.specReplicas(object) ?? 0 },
    status: { replicas: rules?.statusReplicas(object) ?? 0, selector: rules?.selector(object) ?? '' },
  };
}
