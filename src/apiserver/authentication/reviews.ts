/**
 * Whose token is this, and who am I?
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/
 */
import { type SelfSubjectReview, selfSubjectReviews } from '../../apis/authentication/selfSubjectReview.ts';
import { type TokenReview, type TokenReviewStatus, tokenReviews } from '../../apis/authentication/tokenReview.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Kind } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';
import { readReview, reviewed } from '../reviewBody.ts';
import { type Handler, handlerKey } from '../stage.ts';
import { authenticated, type User } from '../user.ts';
import type { BootstrapTokens } from './bootstrapTokens.ts';
import { InvalidTokenError, type ServiceAccountTokens } from './serviceAccountTokens.ts';
import { infoOf } from './userInfo.ts';

export function authenticationReviewHandlers(
  tokens: ServiceAccountTokens,
  bootstrap: BootstrapTokens,
  clock: Clock,
): [string, Handler][] {
  const tokenKind = tokenReviews as unknown as Kind;
  const selfKind = selfSubjectReviews as unknown as Kind;
  return [
    [
      handlerKey(tokenKind.group, tokenKind.plural),
      async (ctx) => {
        const review = (await readReview(ctx, tokenKind)) as TokenReview;
        const { token = '', audiences = [] } = review.spec ?? {};
        const user = await bootstrap.userOf(token);
        review.status =
          user === undefined ? await reviewToken(tokens, token, audiences) : reviewBootstrap(tokens, user, audiences);
        return reviewed(review, tokenKind);
      },
    ],
    [
      handlerKey(selfKind.group, selfKind.plural),
      async (ctx) => {
        const review = (await readReview(ctx, selfKind)) as SelfSubjectReview;
        review.metadata = { ...review.metadata, creationTimestamp: formatTime(clock.now()) };
        review.status = { userInfo: infoOf(ctx.user) };
        return reviewed(review, selfKind);
      },
    ],
  ];
}

/** Such a token is for the API server alone. */
function reviewBootstrap(tokens: ServiceAccountTokens, user: User, audiences: readonly string[]): TokenReviewStatus {
  const common = audiences.length === 0 ? tokens.audiences : tokens.audiences.filter((a) => audiences.includes(a));
  if (common.length === 0) return { user: {}, error: 'the token is for the API server, not for these audiences' };
  return { authenticated: true, user: infoOf(authenticated(user)), audiences: [...common] };
}

async function reviewToken(
  tokens: ServiceAccountTokens,
  token: string,
  audiences: readonly string[],
): Promise<TokenReviewStatus> {
  try {
    const verdict = await tokens.verify(token, audiences.length === 0 ? tokens.audiences : audiences);
    return { authenticated: true, user: infoOf(authenticated(verdict.user)), audiences: [...verdict.audiences] };
  } catch (e) {
    if (e instanceof InvalidTokenError) return { user: {}, error: e.message };
    throw e;
  }
}
