/**
 * POST to a service account's `token`: a signed token, bound to the account and, if asked, to a pod, secret or node.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
import { type BoundObjectReference, type TokenRequest, tokenRequests } from '../../apis/authentication/tokenRequest.ts';
import { nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { secrets } from '../../apis/core/secret.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { apiError, badRequest, conflict, forbiddenRequest, notFound } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Answer } from '../answer.ts';
import type { Reference, ServiceAccountTokens, TokenContent } from '../authentication/serviceAccountTokens.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { nodeOf } from '../authorization/node.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import { readReview, reviewed } from '../reviewBody.ts';
import { type Handler, handlerKey } from '../stage.ts';
import { mayHaveAudience, podNamesAudience } from './tokenAudience.ts';

/** What token requests are answered with. */
interface TokenParts {
  readonly registry: Registry;
  readonly tokens: ServiceAccountTokens;
  readonly authorizers: readonly Authorizer[];
}

export function tokenHandlers(parts: TokenParts): [string, Handler][] {
  return [[handlerKey('', 'serviceaccounts', 'token'), (ctx) => requestToken(parts, ctx)]];
}

const KIND = tokenRequests as unknown as Kind;

async function requestToken(parts: TokenParts, ctx: RequestContext): Promise<Answer> {
  const { registry, tokens } = parts;
  if (ctx.info.verb !== 'create') {
    throw apiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
  }
  const { namespace = '', name } = ctx.info;
  const request = (await readReview(ctx, KIND)) as TokenRequest;
  await checkNode(parts, ctx, request);
  const account = await find(registry, serviceAccounts as unknown as Kind, namespace, name);
  const spec = request.spec ?? {};
  const audiences = spec.audiences?.length ? spec.audiences : [...tokens.audiences];
  const content: TokenContent = {
    namespace,
    serviceAccount: referenceTo(account),
    audiences,
    lifetimeSeconds: spec.expirationSeconds ?? 3600,
    ...(spec.boundObjectRef === undefined ? {} : await bound(registry, namespace, name, spec.boundObjectRef)),
  };
  const signed = await tokens.sign(content);
  return reviewed(
    {
      ...request,
      metadata: { ...request.metadata, name, namespace, creationTimestamp: account.metadata.creationTimestamp ?? '' },
      spec: { ...spec, audiences },
      status: { token: signed.token, expirationTimestamp: formatTime(signed.expiresAtMs) },
    } as KubeObject,
    KIND,
  );
}

/** Nodes ask for tokens of their own pods only, for those that the pods name. @throws ApiError Forbidden */
async function checkNode(
  { registry, authorizers }: TokenParts,
  ctx: RequestContext,
  request: TokenRequest,
): Promise<void> {
  const node = nodeOf(ctx.user);
  if (node === undefined) return;
  const ref = request.spec?.boundObjectRef;
  const refuse = (why: string) => forbiddenRequest(serviceAccounts, ctx.info.name, why);
  if (ref?.kind !== 'Pod' || !ref.name) throw refuse('node requested token not bound to a pod');
  if (!ref.uid) throw refuse('node requested token with a pod binding without a uid');
  const pod = registry.cache(pods).object(ctx.info.namespace, ref.name);
  if (pod !== undefined && pod.spec?.nodeName !== node) {
    throw refuse('node requested token bound to a pod scheduled on a different node');
  }
  const [audience = '', ...more] = request.spec?.audiences ?? [];
  if (more.length > 0) throw refuse('node may only request 0 or 1 audiences');
  if (pod === undefined || (await podNamesAudience(registry, pod as Stored<Pod>, audience))) return;
  const { namespace = '', name } = ctx.info;
  if (mayHaveAudience(authorizers, ctx.user, namespace, name, audience)) return;
  const who = `${ctx.user.name} is not authorized to request tokens for this audience`;
  throw refuse(`audience ${JSON.stringify(audience)} not found in pod spec volume, ${who}`);
}

async function bound(
  registry: Registry,
  namespace: string,
  account: string,
  ref: BoundObjectReference,
): Promise<Pick<TokenContent, 'pod' | 'secret' | 'node'>> {
  const what = ref.name ?? '';
  switch (ref.kind) {
    case 'Pod': {
      const pod = (await find(registry, pods as unknown as Kind, namespace, what)) as Stored<Pod>;
      checkUid(pods as unknown as Kind, pod, ref);
      if (pod.spec?.serviceAccountName !== account) {
        throw badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
        );
      }
      const node = pod.spec?.nodeName ? registry.cache(nodes).object(undefined, pod.spec.nodeName) : undefined;
      return { pod: referenceTo(pod), ...(node === undefined ? {} : { node: referenceTo(node) }) };
    }
    case 'Secret': {
      const secret = await find(registry, secrets as unknown as Kind, namespace, what);
      checkUid(secrets as unknown as Kind, secret, ref);
      return { secret: referenceTo(secret) };
    }
    case 'Node': {
      const node = await find(registry, nodes as unknown as Kind, undefined, what);
      checkUid(nodes as unknown as Kind, node, ref);
      return { node: referenceTo(node) };
    }
    default:
      throw badRequest(`cannot bind token to object of type ${ref.apiVersion ?? ''}, Kind=${ref.kind ?? ''}`);
  }
}

async function find(
  registry: Registry,
  kind: Kind,
  namespace: string | undefined,
  name: string,
): Promise<Stored<KubeObject>> {
  const cache = registry.cache(kind);
  await cache.freshen();
  const found = cache.object(namespace, name);
  if (found === undefined) throw notFound(kind, name);
  return found;
}

function checkUid(kind: Kind, found: Stored<KubeObject>, ref: BoundObjectReference): void {
  if (ref.uid && ref.uid !== found.metadata.uid) {
    throw conflict(
      kind,
      found.metadata.name,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
}

const referenceTo = (object: Stored<object>): Reference => ({ name: object.metadata.name, uid: object.metadata.uid });
