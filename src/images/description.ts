/** What an image is to be made of: a small YAML or JSON file. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';

export interface ImageFile {
  readonly text: string;
  readonly mode: number;
}

export interface ImageDescription {
  /** `nginx:latest`; the first is its main name */
  readonly names: readonly string[];
  /** a folder whose content is copied first */
  readonly base: string | undefined;
  /** Debian packages, to which the libraries that they need are added */
  readonly packages: readonly string[];
  /** Whether busybox's commands are linked into /bin (needs the package busybox). */
  readonly busybox: boolean;
  readonly folders: readonly string[];
  /** from path to target */
  readonly links: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, ImageFile>>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `80/tcp` */
  readonly ports: readonly string[];
  readonly user: string;
  readonly workdir: string;
  readonly stopSignal: string;
}

/** The description is not one. The message says what is wrong and where. */
export class DescriptionError extends Error {
  override readonly name = 'DescriptionError';
}

const KEYS = new Set([
  'names',
  'name',
  'base',
  'packages',
  'busybox',
  'folders',
  'links',
  'files',
  'entrypoint',
  'cmd',
  'env',
  'ports',
  'user',
  'workdir',
  'stopSignal',
]);

/** @throws DescriptionError, or the file system's error */
export async function readDescription(path: string): Promise<ImageDescription> {
  let value: unknown;
  const text = await readFile(path, 'utf8');
  try {
    value = parse(text);
  } catch (error) {
    throw new DescriptionError(`${path}: ${(error as Error).message.split('\n')[0]}`);
  }
  return describe(value, path);
}

/** @throws DescriptionError */
export function describe(value: unknown, path: string): ImageDescription {
  const fail = (why: string): never => {
    throw new DescriptionError(`${path}: ${why}`);
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('an image is described by an object');
  const given = value as Record<string, unknown>;
  for (const key of Object.keys(given))
    if (!KEYS.has(key)) fail(`there is no field ${JSON.stringify(key)}; there are ${[...KEYS].join(', ')}`);
  const strings = (key: string): string[] => {
    const list = given[key] ?? [];
    if (!Array.isArray(list)) return fail(`${key} must be a list`);
    return list.map((item) =>
      typeof item === 'string' || typeof item === 'number' ? String(item) : fail(`${key} must be a list of texts`),
    );
  };
  const map = (key: string): Record<string, unknown> => {
    const found = given[key] ?? {};
    return typeof found === 'object' && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : fail(`${key} must be a map`);
  };
  const one = (key: string) =>
    given[key] === undefined ? '' : typeof given[key] === 'object' ? fail(`${key} must be a text`) : String(given[key]);
  const names = given.name === undefined ? strings('names') : [one('name')];
  if (names.length === 0) fail('names is missing: under which names the image is to be found');
  const packages = strings('packages');
  const bad = packages.find((name) => !/^[a-z0-9][a-z0-9+.-]+$/.test(name));
  if (bad !== undefined) fail(`${JSON.stringify(bad)} is no name of a Debian package`);
  const base = given.base === undefined ? undefined : resolve(dirname(path), one('base'));
  if (base === undefined && packages.length === 0 && given.files === undefined)
    fail('an image needs a base folder, packages or files');
  const files = Object.entries(map('files')).map(([at, file]): [string, ImageFile] => {
    if (typeof file === 'string') return [at, { text: file, mode: 0o644 }];
    const { text, mode } = (file ?? {}) as { text?: unknown; mode?: unknown };
    if (typeof text !== 'string') return fail(`files: ${at} needs a text`);
    return [at, { text, mode: typeof mode === 'number' ? mode : 0o644 }];
  });
  return {
    names,
    base,
    packages,
    busybox: given.busybox === true,
    folders: strings('folders'),
    links: Object.fromEntries(Object.entries(map('links')).map(([at, to]) => [at, String(to)])),
    files: Object.fromEntries(files),
    entrypoint: strings('entrypoint'),
    cmd: strings('cmd'),
    env: Object.fromEntries(Object.entries(map('env')).map(([name, text]) => [name, String(text)])),
    ports: strings('ports'),
    user: one('user'),
    workdir: one('workdir'),
    stopSignal: one('stopSignal'),
  };
}
