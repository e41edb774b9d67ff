/**
 * Brings images to the node as the pull policy says.
 * Source: https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
 */
import type { Container } from '../../apis/core/container.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AuthConfig, Image } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { FailureBackoff, FIRST_BACKOFF_MS } from '../pods/backoff.ts';

/** The image is not to be had now. `reason` is what the container's status says. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName';
  constructor(reason: ImageError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface PullProgress {
  pulling(image: string): void;
  pulled(image: string, ms: number | undefined): void;
  failed(image: string, message: string): void;
  backingOff(image: string): void;
}

const PULL_TIMEOUT_MS = 30 * 60_000;
const REFERENCE = /^[a-z0-9]+([._/:@-][a-z0-9]+|__|-+|[._]|:[\w][\w.-]*|[A-Z])*/i;

/**
 * The name in full: Docker Hub's where no registry is named, `latest` where no tag is.
 * @throws ImageError InvalidImageName
 */
export function normalizeImage(image: string): string {
  if (!REFERENCE.test(image) || /\s/.test(image))
    throw new ImageError(
      'InvalidImageName',
      `couldn't parse image name ${JSON.stringify(image)}: invalid reference format`,
    );
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  const path = hasRegistry ? image : rest.length === 0 ? `docker.io/library/${image}` : `docker.io/${image}`;
  const last = path.slice(path.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? path : `${path}:latest`;
}

export class ImagePuller {
  readonly #runtime: ContainerRuntime;
  readonly #clock: Clock;
  readonly #backoff = new FailureBackoff();
  readonly #failures = new Map<string, string>();
  /** Pulls that are under way, so that ten pods pull an image once. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(runtime: ContainerRuntime, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  /** The image as the runtime has it. @throws ImageError */
  async ensure(
    container: Container,
    auths: readonly AuthConfig[],
    progress: PullProgress,
  ): Promise<Image & { id: string }> {
    const asked = container.image ?? '';
    const image = normalizeImage(asked);
    const present = await this.#find(image);
    const policy = container.imagePullPolicy ?? 'IfNotPresent';
    if (present !== undefined && policy !== 'Always') {
      progress.pulled(asked, undefined);
      return present;
    }
    if (policy === 'Never')
      throw new ImageError(
        'ErrImageNeverPull',
        `Container image ${JSON.stringify(asked)} is not present with pull policy of Never`,
      );
    const until = this.#backoff.current(image) ?? 0;
    if (until > this.#clock.now()) {
      progress.backingOff(asked);
      throw new ImageError(
        'ImagePullBackOff',
        `Back-off pulling image ${JSON.stringify(asked)}: ${this.#failures.get(image) ?? ''}`,
      );
    }
    const started = this.#clock.monotonic();
    try {
      progress.pulling(asked);
      await this.#pull(image, auths);
    } catch (error) {
      const message = (error as Error).message;
      // What was made and loaded on this machine has no registry: it is what the name means here.
      if (present !== undefined && isUnreachable(message)) {
        progress.pulled(asked, undefined);
        return present;
      }
      this.#backoff.until(image, this.#clock.now(), FIRST_BACKOFF_MS);
      this.#failures.set(image, message);
      progress.failed(asked, message);
      throw new ImageError('ErrImagePull', message);
    }
    const pulled = await this.#find(image);
    if (pulled === undefined) throw new ImageError('ErrImagePull', `the image ${image} was pulled and is not there`);
    this.#backoff.forget(image);
    progress.pulled(asked, this.#clock.monotonic() - started);
    return pulled;
  }

  /** When the next pull of an image may be tried, in ms since the epoch. */
  retryAt(image: string): number | undefined {
    try {
      return this.#backoff.current(normalizeImage(image));
    } catch {
      return undefined;
    }
  }

  async #find(image: string): Promise<(Image & { id: string }) | undefined> {
    const { image: found } = await this.#runtime.call('imageStatus', { image: { image } });
    return found?.id ? { ...found, id: found.id } : undefined;
  }

  #pull(image: string, auths: readonly AuthConfig[]): Promise<void> {
    let pull = this.#underWay.get(image);
    if (pull === undefined) {
      pull = this.#pullWithAny(image, auths).finally(() => this.#underWay.delete(image));
      this.#underWay.set(image, pull);
    }
    return pull;
  }

  async #pullWithAny(image: string, auths: readonly AuthConfig[]): Promise<void> {
    let failure: unknown;
    for (const auth of auths.length === 0 ? [undefined] : auths) {
      try {
        await this.#runtime.call(
          'pullImage',
          { image: { image }, ...(auth === undefined ? {} : { auth }) },
          { timeoutMs: PULL_TIMEOUT_MS },
        );
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

/** No registry answered at all, as on a machine without a network. */
function isUnreachable(message: string): boolean {
  return /no such host|connection refused|network is unreachable|i\/o timeout|deadline exceeded|server misbehaving|no route to host|EOF|forbidden|proxyconnect|Temporary failure in name resolution/i.test(
    message,
  );
}
