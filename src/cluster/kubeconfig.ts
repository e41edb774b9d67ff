/**
 * The user's kubeconfig: our context is put in or taken out, everything else stays as it is.
 * Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { ClusterError } from './errors.ts';

export interface Access {
  /** of the context, cluster and user */
  readonly name: string;
  readonly server: string;
  /** PEM */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The context of a cluster: `kubets`, or `kubets-<name>` for those with a name of their own. */
export function contextName(cluster: string): string {
  return cluster === 'kubets' ? 'kubets' : `kubets-${cluster}`;
}

/** Where kubectl would write: the first file of KUBECONFIG, or ~/.kube/config. */
export function kubeconfigPath(): string {
  const [first] = (process.env.KUBECONFIG ?? '').split(':').filter((p) => p !== '');
  return first ?? join(homedir(), '.kube', 'config');
}

/** A kubeconfig that holds nothing but this access. */
export function standaloneKubeconfig(access: Access): string {
  const document = new Document(empty());
  put(document, access);
  return document.toString();
}

/** A kubeconfig that says where a cluster is and how it is known, and lets nobody in. @param ca PEM */
export function serverKubeconfig(server: string, ca: string): string {
  const document = new Document(empty());
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  putNamed(document as unknown as Document, 'clusters', { name: '', cluster });
  return document.toString({ lineWidth: 0 });
}

const empty = () => ({ apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], users: [] });

/** Looks whether the file could be written to, before anything is started. @throws ClusterError as `mergeKubeconfig` */
export async function assertUsableKubeconfig(path: string): Promise<void> {
  await read(path);
}

/** Puts the access in and makes it the current context. @throws ClusterError where the file cannot be understood; it is left alone */
export async function mergeKubeconfig(path: string, access: Access): Promise<void> {
  const document = (await read(path)) ?? new Document(empty());
  put(document, access);
  await write(path, document);
}

/** Takes a context out with its cluster and user. @throws ClusterError as `mergeKubeconfig` */
export async function removeFromKubeconfig(path: string, name: string): Promise<void> {
  const document = await read(path);
  if (document === undefined) return;
  for (const key of ['clusters', 'contexts', 'users']) {
    const list = document.get(key);
    if (!isSeq(list)) continue;
    list.items = list.items.filter((item) => !(isMap(item) && item.get('name') === name));
  }
  if (document.get('current-context') === name) document.set('current-context', '');
  await write(path, document);
}

async function read(path: string): Promise<Document | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ClusterError(`the kubeconfig ${path} cannot be read (${(error as Error).message}); it was left alone`);
  }
  if (text.trim() === '') return undefined;
  const document = parseDocument(text);
  const [problem] = document.errors;
  const bad = (why: string) =>
    new ClusterError(
      `the kubeconfig ${path} cannot be understood (${why}); it was left alone. Mend it, or name another with KUBECONFIG`,
    );
  if (problem !== undefined) throw bad(problem.message.split('\n')[0] ?? '');
  if (!isMap(document.contents)) throw bad('it is no map');
  for (const key of ['clusters', 'contexts', 'users']) {
    const list = document.get(key);
    if (list !== undefined && list !== null && !isSeq(list)) throw bad(`${key} is no list`);
  }
  return document as unknown as Document;
}

async function write(path: string, document: Document): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.kubets-${process.pid}`;
  await writeFile(unfinished, document.toString({ lineWidth: 0 }), { mode: 0o600 });
  await chmod(unfinished, 0o600);
  await rename(unfinished, path);
}

function put(document: Document, access: Access): void {
  const { name } = access;
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  putNamed(document, 'clusters', {
    name,
    cluster: { server: access.server, 'certificate-authority-data': base64(access.ca) },
  });
  putNamed(document, 'users', {
    name,
    user: { 'client-certificate-data': base64(access.cert), 'client-key-data': base64(access.key) },
  });
  putNamed(document, 'contexts', { name, context: { cluster: name, user: name } });
  if (!document.has('apiVersion')) document.set('apiVersion', 'v1');
  if (!document.has('kind')) document.set('kind', 'Config');
  document.set('current-context', name);
}

function putNamed(
  document: Document,
  key: string,
  value: { readonly name: string; readonly [field: string]: unknown },
): void {
  let list = document.get(key) as YAMLSeq | undefined | null;
  if (!isSeq(list)) {
    list = document.createNode([]) as YAMLSeq;
    document.set(key, list);
  }
  list.flow = false;
  const node = document.createNode(value) as YAMLMap;
  const at = list.items.findIndex((item) => isMap(item) && item.get('name') === value.name);
  if (at >= 0) list.items[at] = node;
  else list.add(node);
}
