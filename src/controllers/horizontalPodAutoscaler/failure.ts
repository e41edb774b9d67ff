/** Why no number of replicas can be told: for the conditions and events of an autoscaler. */
export class ScalingFailure extends Error {
  override readonly name = 'ScalingFailure';
}

/** The same failure with what was being done when it came. */
export function during(what: string, error: unknown): ScalingFailure {
  return new ScalingFailure(`${what}: ${messageOf(error)}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
