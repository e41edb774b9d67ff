/**
 * The documents from which others learn to verify our tokens.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
import type { RawAnswer } from '../answer.ts';
import type { Handler } from '../stage.ts';
import type { ServiceAccountTokens } from './serviceAccountTokens.ts';

const JWKS_PATH = '/openid/v1/jwks';
const HEADERS = { 'Cache-Control': 'public, max-age=3600' };

/** @param address this server's `host:port`, as others reach it */
export function openIdPaths(tokens: ServiceAccountTokens, address: () => string): [string, Handler][] {
  return [
    [
      '/.well-known/openid-configuration',
      async () => {
        const { alg = '' } = await tokens.jwk();
        return document('application/json', {
          issuer: tokens.issuer,
          jwks_uri: `https://${address()}${JWKS_PATH}`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [alg],
        });
      },
    ],
    [JWKS_PATH, async () => document('application/jwk-set+json', { keys: [await tokens.jwk()] })],
  ];
}

function document(contentType: string, value: unknown): RawAnswer {
  return { type: 'raw', status: 200, contentType, headers: HEADERS, body: Buffer.from(JSON.stringify(value)) };
}
