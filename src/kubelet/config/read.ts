/** Reads a KubeletConfiguration from a file. */
import { parse } from 'yaml';
import { parseDuration } from '../../lib/duration.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import { thresholdsOf } from '../eviction/thresholds.ts';
import { DEFAULT_CONFIGURATION, type KubeletConfiguration } from './configuration.ts';

const API_VERSION = 'kubelet.config.k8s.io/v1beta1';
const KIND = 'KubeletConfiguration';

/** A configuration is not one, or says what this kubelet does not heed. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** @param text YAML or JSON. @throws ConfigurationError */
export function readConfiguration(text: string): Partial<KubeletConfiguration> {
  const { apiVersion, kind, ...fields } = objectOf(text);
  if (apiVersion !== API_VERSION || kind !== KIND)
    throw new ConfigurationError(`this is no ${KIND} of ${API_VERSION}: ${String(kind)} of ${String(apiVersion)}`);
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(DEFAULT_CONFIGURATION, name))
      throw new ConfigurationError(`unknown field ${JSON.stringify(name)}`);
    const like = DEFAULT_CONFIGURATION[name as keyof KubeletConfiguration];
    if (shapeOf(value) !== shapeOf(like)) throw new ConfigurationError(`${name}: must be a ${shapeOf(like)}`);
    const wrong = DURATIONS.has(name) ? faultOfDuration(value) : undefined;
    if (wrong !== undefined) throw new ConfigurationError(`${name}: ${wrong}`);
  }
  const told = fields as Partial<KubeletConfiguration>;
  check({ ...DEFAULT_CONFIGURATION, ...told });
  return told;
}

const DURATIONS: ReadonlySet<string> = new Set([
  'evictionPressureTransitionPeriod',
  'imageMinimumGCAge',
  'imageMaximumGCAge',
  'containerLogMonitorInterval',
  'fileCheckFrequency',
  'httpCheckFrequency',
  'shutdownGracePeriod',
  'shutdownGracePeriodCriticalPods',
]);

function faultOfDuration(value: unknown): string | undefined {
  const ms = parseDuration(String(value));
  return ms === undefined || ms < 0 ? `${JSON.stringify(value)} is no duration` : undefined;
}

/** @throws ConfigurationError */
function check(told: KubeletConfiguration): void {
  try {
    thresholdsOf(told);
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
  const refuse = (message: string) => {
    throw new ConfigurationError(message);
  };
  const { imageGCHighThresholdPercent: high, imageGCLowThresholdPercent: low } = told;
  if (high < 0 || high > 100) refuse('imageGCHighThresholdPercent: must be between 0 and 100');
  if (low < 0 || low > 100) refuse('imageGCLowThresholdPercent: must be between 0 and 100');
  if (low >= high) refuse('imageGCLowThresholdPercent: must be less than imageGCHighThresholdPercent');
  if (told.maxParallelImagePulls < 0) refuse('maxParallelImagePulls: must not be negative');
  if (told.serializeImagePulls && told.maxParallelImagePulls > 1)
    refuse('maxParallelImagePulls: cannot be larger than 1 unless serializeImagePulls is false');
  if (told.maxPods < 0) refuse('maxPods: must not be negative');
  if (told.containerLogMaxFiles <= 1) refuse('containerLogMaxFiles: must be greater than 1');
  if (parseQuantity(told.containerLogMaxSize) === undefined) refuse('containerLogMaxSize: must be a quantity');
  if (!['none', 'static'].includes(told.cpuManagerPolicy)) refuse('cpuManagerPolicy: must be none or static');
  if (!['None', 'Static'].includes(told.memoryManagerPolicy)) refuse('memoryManagerPolicy: must be None or Static');
  for (const of of told.reservedMemory) {
    if (typeof of?.numaNode !== 'number' || parseQuantity(String(of.limits?.memory)) === undefined)
      refuse('reservedMemory: must be a list of numaNode and limits.memory');
  }
  for (const [field, amounts] of Object.entries({
    systemReserved: told.systemReserved,
    kubeReserved: told.kubeReserved,
  })) {
    for (const [name, amount] of Object.entries(amounts))
      if (typeof amount !== 'string' || parseQuantity(amount) === undefined)
        refuse(`${field}: ${name} must be a quantity`);
  }
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0, logLevel: 'error' });
  } catch (error) {
    throw new ConfigurationError((error as Error).message);
  }
  if (shapeOf(value) !== 'map') throw new ConfigurationError('this is no object');
  return value as Record<string, unknown>;
}

function shapeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value === 'object' ? 'map' : typeof value;
}
