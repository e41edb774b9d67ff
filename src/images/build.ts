/**
 * Makes an OCI image from a description, without a container engine: a folder, one layer, a
 * configuration, and around them the layout that `image load` and every container tool read.
 *
 * Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fullImageName } from '../machinery/imageName.ts';
import { unpackPackages } from './debian.ts';
import type { ImageDescription } from './description.ts';
import { WGET } from './wget.ts';

const run = promisify(execFile);
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64' };
/** Every layer has the same times, so that the same content is the same image. */
const TAR_FLAGS = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
/** What an image of programs does not need. */
const LEFT_OUT = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/lintian',
  'usr/share/info',
  'usr/share/bash-completion',
];

const PASSWD = `root:x:0:0:root:/root:/bin/sh
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;
const GROUP = `root:x:0:
adm:x:4:
www-data:x:33:
nogroup:x:65534:
`;

/** Builds the image into the file `target`, a tar of an OCI layout. @throws PackageError, or the file system's error */
export async function buildImage(description: ImageDescription, target: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'kubets-image-'));
  try {
    const root = join(work, 'root');
    await mkdir(root, { mode: 0o755 });
    await fill(root, description);
    await pack(root, description, work, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fill(root: string, description: ImageDescription): Promise<void> {
  if (description.base !== undefined) await cp(description.base, root, { recursive: true, verbatimSymlinks: true });
  if (description.packages.length > 0) await unpackPackages(description.packages, root);
  for (const path of LEFT_OUT) await rm(join(root, path), { recursive: true, force: true });
  for (const dir of ['etc', 'tmp', 'root', 'proc', 'sys', 'dev', 'run', 'var/tmp', ...description.folders]) {
    await mkdir(join(root, dir), { recursive: true });
  }
  for (const dir of ['tmp', 'var/tmp']) await chmod(join(root, dir), 0o1777);
  await writeIfMissing(join(root, 'etc/passwd'), PASSWD);
  await writeIfMissing(join(root, 'etc/group'), GROUP);
  await writeIfMissing(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  if (description.busybox) await linkBusybox(root);
  for (const [path, to] of Object.entries(description.links)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { force: true });
    await symlink(to, join(root, path));
  }
  for (const [path, file] of Object.entries(description.files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await rm(join(root, path), { recursive: true, force: true });
    await writeFile(join(root, path), file.text);
    await chmod(join(root, path), file.mode);
  }
}

async function writeIfMissing(path: string, text: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) === undefined) await writeFile(path, text);
}

/** Each of busybox's commands under its own name, where nothing else has that name. */
async function linkBusybox(root: string): Promise<void> {
  const program = join(root, 'bin/busybox');
  const { stdout } = await run(program, ['--list']);
  const there = new Set(await readdir(join(root, 'bin')));
  for (const dir of ['usr/bin', 'sbin', 'usr/sbin'])
    for (const name of await readdir(join(root, dir)).catch(() => [])) there.add(name);
  if (!there.has('wget')) {
    await writeFile(join(root, 'bin/wget'), WGET);
    await chmod(join(root, 'bin/wget'), 0o755);
    there.add('wget');
  }
  for (const name of stdout.split('\n').filter((n) => n !== '' && !there.has(n)))
    await symlink('busybox', join(root, 'bin', name));
}

async function pack(root: string, description: ImageDescription, work: string, target: string): Promise<void> {
  const layout = join(work, 'layout');
  const blobs = join(layout, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const layer = join(work, 'layer.tar');
  await run('tar', [...TAR_FLAGS, '-C', root, '-cf', layer, '.']);
  const digest = await sha256(layer);
  const { size } = await stat(layer);
  await rename(layer, join(blobs, digest));

  const blob = async (value: unknown, mediaType: string) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hash = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const config = await blob(configOf(description, digest), 'application/vnd.oci.image.config.v1+json');
  const manifest = await blob(
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${digest}`, size }],
    },
    'application/vnd.oci.image.manifest.v1+json',
  );
  await writeFile(
    join(layout, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: description.names.map((name) => ({
        ...manifest,
        platform: { architecture: ARCHITECTURES[process.arch] ?? process.arch, os: 'linux' },
        annotations: {
          'io.containerd.image.name': fullImageName(name),
          'org.opencontainers.image.ref.name': fullImageName(name),
        },
      })),
    }),
  );
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await mkdir(dirname(target), { recursive: true });
  const unfinished = `${target}.${process.pid}.tmp`;
  await run('tar', [...TAR_FLAGS, '-C', layout, '-cf', unfinished, 'oci-layout', 'index.json', 'blobs']);
  await rename(unfinished, target);
}

function configOf(description: ImageDescription, layer: string): unknown {
  const { entrypoint, cmd, env, ports, user, workdir, stopSignal } = description;
  const path = env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return {
    created: '1970-01-01T00:00:00Z',
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      ...(entrypoint.length === 0 ? {} : { Entrypoint: entrypoint }),
      ...(cmd.length === 0 ? {} : { Cmd: cmd }),
      Env: Object.entries({ ...env, PATH: path }).map(([name, value]) => `${name}=${value}`),
      ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports.map((p) => [p, {}])) }),
      ...(user === '' ? {} : { User: user }),
      ...(workdir === '' ? {} : { WorkingDir: workdir }),
      ...(stopSignal === '' ? {} : { StopSignal: stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
