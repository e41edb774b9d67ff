/**
 * Brings images to the node as the pull policy says.
 * Source: https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
 */
import type { Container } from '../../apis/core/container.ts';
import type { Clock } from '../../lib/clock.ts';
import { Gate } from '../../lib/gate.ts';
import { fullImageName } from '../../machinery/imageName.ts';
import type { AuthConfig, Image } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { FailureBackoff, FIRST_BACKOFF_MS } from '../pods/backoff.ts';
import { authsFor } from './pullSecrets.ts';

/** The image is not to be had now. `reason` is what the container's status says. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName';
  /** the image, where it is not the container's own but the content of a volume */
  readonly volume: string | undefined;
  constructor(reason: ImageError['reason'], message: string, volume?: string) {
    super(message);
    this.reason = reason;
    this.volume = volume;
  }
}

export interface PullProgress {
  pulling(image: string): void;
  /** It was there already, or no registry is to be had and it is. */
  present(image: string): void;
  /** @param ms of the pull itself; @param wholeMs with the wait for its turn */
  pulled(image: string, ms: number, wholeMs: number, bytes: number): void;
  failed(image: string, message: string): void;
  backingOff(image: string): void;
}

const PULL_TIMEOUT_MS = 30 * 60_000;
/** An image that was loaded by hand waits no longer for a registry than this. */
const LOADED_PULL_TIMEOUT_MS = 5_000;
/** A registry that gave no answer is left alone for so long, where there is another way. */
const UNREACHABLE_MS = 60_000;
const COMPONENT = '[a-z0-9]+(?:(?:[.]|__?|-+)[a-z0-9]+)*';
const HOST = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{32,}';
/** Source: https://github.com/distribution/distribution/blob/main/docs/content/spec/api.md */
const REFERENCE = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*(?::${TAG})?(?:@${DIGEST})?$`);
const LONGEST_REFERENCE = 4096;

/**
 * The name in full: Docker Hub's where no registry is named, `latest` where no tag is.
 * @throws ImageError InvalidImageName
 */
export function normalizeImage(image: string): string {
  if (image.length > LONGEST_REFERENCE || !REFERENCE.test(image))
    throw new ImageError(
      'InvalidImageName',
      `Failed to apply default image tag ${JSON.stringify(image)}: couldn't parse image name ${JSON.stringify(image)}: invalid reference format`,
    );
  return fullImageName(image);
}

export class ImagePuller {
  readonly #runtime: ContainerRuntime;
  readonly #clock: Clock;
  /** by registry, in ms since the epoch */
  readonly #unreachableUntil = new Map<string, number>();
  readonly #backoff = new FailureBackoff();
  readonly #failures = new Map<string, string>();
  /** Pulls that are under way, so that ten pods pull an image once. */
  readonly #underWay = new Map<string, Promise<number>>();
  readonly #gate: Gate | undefined;

  /** @param atOnce how many pulls there are at the same time; absent: any number */
  constructor(runtime: ContainerRuntime, clock: Clock, atOnce?: number) {
    this.#runtime = runtime;
    this.#gate = atOnce === undefined ? undefined : new Gate(atOnce);
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
      progress.present(asked);
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
    // What was made and loaded on this machine came from no registry, and one need not be there to ask.
    const loaded = present !== undefined && (present.repo_digests ?? []).length === 0;
    if (loaded && (this.#unreachableUntil.get(registryOf(image)) ?? 0) > this.#clock.now()) {
      progress.present(asked);
      return present;
    }
    const started = this.#clock.monotonic();
    let ms: number;
    try {
      progress.pulling(asked);
      ms = await this.#pull(image, auths, loaded ? LOADED_PULL_TIMEOUT_MS : PULL_TIMEOUT_MS);
    } catch (error) {
      const message = (error as Error).message;
      if (loaded && isUnreachable(message)) {
        this.#unreachableUntil.set(registryOf(image), this.#clock.now() + UNREACHABLE_MS);
        progress.present(asked);
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
    this.#failures.delete(image);
    progress.pulled(asked, ms, Math.round(this.#clock.monotonic() - started), pulled.size ?? 0);
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

  /** Resolves with how long it took, in ms, without the wait for its turn. */
  #pull(image: string, auths: readonly AuthConfig[], timeoutMs: number): Promise<number> {
    // Only who brings the same credentials shares in what they give.
    const key = JSON.stringify([image, auths]);
    let pull = this.#underWay.get(key);
    if (pull === undefined) {
      const timed = async () => {
        const started = this.#clock.monotonic();
        await this.#pullWithAny(image, auths, timeoutMs);
        return Math.round(this.#clock.monotonic() - started);
      };
      pull = (this.#gate?.pass(timed) ?? timed()).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, pull);
    }
    return pull;
  }

  async #pullWithAny(image: string, auths: readonly AuthConfig[], timeoutMs: number): Promise<void> {
    let failure: unknown;
    for (const auth of authsFor(image, auths)) {
      try {
        await this.#runtime.call(
          'pullImage',
          { image: { image }, ...(auth === undefined ? {} : { auth }) },
          { timeoutMs },
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

/** The first part of a full name. */
function registryOf(image: string): string {
  return image.slice(0, image.indexOf('/'));
}
