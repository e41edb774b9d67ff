/**
 * Signs the cluster's public description with every bootstrap token that is for it, so that who has the token knows
 * that the description is true.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#configmap-signing
 */
import { createHmac } from 'node:crypto';
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { type Plan, startLoop } from '../loop.ts';
import { BOOTSTRAP_TYPE, expirationOf, textOf } from './token.ts';

const MAP = { namespace: 'kube-public', name: 'cluster-info' };
const CONTENT = 'kubeconfig';
const SIGNATURE_PREFIX = 'jws-kubeconfig-';

export function startBootstrapSigner(context: ControllerContext): void {
  const maps = context.informers.of(configMaps);
  const tokens = context.informers.of(secrets, { namespace: 'kube-system', fieldSelector: `type=${BOOTSTRAP_TYPE}` });
  const loop = startLoop({
    name: 'bootstrap-signer',
    context,
    reads: [maps, tokens],
    plan() {
      const map = maps.get(MAP.namespace, MAP.name);
      return map === undefined ? undefined : planSignatures(map, tokens.list(), context.clock.now());
    },
  });
  const look = () => loop.enqueue(MAP.name);
  tokens.handle({ onAdd: look, onUpdate: look, onDelete: look });
  const lookAt = ({ metadata }: Stored<ConfigMap>) => {
    if (metadata.name === MAP.name && metadata.namespace === MAP.namespace) look();
  };
  maps.handle({ onAdd: lookAt, onUpdate: lookAt });
}

export function planSignatures(map: Stored<ConfigMap>, tokens: readonly Stored<Secret>[], now: number): Plan {
  const content = map.data?.[CONTENT];
  if (content === undefined) return { actions: [] };
  const others = Object.entries(map.data ?? {}).filter(([key]) => !key.startsWith(SIGNATURE_PREFIX));
  const data = Object.fromEntries(others);
  let next: number | undefined;
  for (const secret of tokens) {
    const id = signingId(secret);
    const at = expirationOf(secret);
    if (id === undefined || (at !== undefined && at <= now)) continue;
    if (at !== undefined) next = Math.min(next ?? at, at);
    data[`${SIGNATURE_PREFIX}${id}`] = signatureOf(content, id, textOf(secret, 'token-secret'));
  }
  const again = next === undefined ? {} : { againMs: next - now };
  if (jsonEqual(data, map.data ?? {})) return { actions: [], ...again };
  const object: ConfigMap = { ...map, data };
  return { actions: [{ verb: 'update', kind: configMaps as Kind, object }], ...again };
}

/** The identifier of a token that signs; undefined for one that does not. */
function signingId(secret: Stored<Secret>): string | undefined {
  const id = textOf(secret, 'token-id');
  const isWhole = /^[a-z0-9]{6}$/.test(id) && /^[a-z0-9]{16}$/.test(textOf(secret, 'token-secret'));
  const signs = textOf(secret, 'usage-bootstrap-signing') === 'true';
  return isWhole && signs && secret.metadata.deletionTimestamp === undefined ? id : undefined;
}

/** A JSON Web Signature without its content (RFC 7515, appendix F). */
function signatureOf(content: string, id: string, secret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const signed = `${header}.${Buffer.from(content).toString('base64url')}`;
  return `${header}..${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
