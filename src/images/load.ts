/** Brings image tars (OCI layout or docker-archive) into containerd. */
import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 10 * 60_000;
const TAR_MAGIC_AT = 257;

/** The file is no image, or containerd does not take it. */
export class ImageLoadError extends Error {
  override readonly name = 'ImageLoadError';
}

/** Returns the names of the images that are now there. @throws ImageLoadError */
export async function loadImage(socket: string, path: string): Promise<string[]> {
  await assertTar(path);
  try {
    const { stdout } = await run('ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', path], {
      timeout: TIMEOUT_MS,
      maxBuffer: 8 << 20,
    });
    return [...stdout.matchAll(/^unpacking (\S+)/gm)].map((m) => m[1] as string);
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').pop();
    throw new ImageLoadError(`${path} cannot be loaded: ${said || (error as Error).message}`);
  }
}

async function assertTar(path: string): Promise<void> {
  const file = await open(path, 'r').catch((error: Error) => {
    throw new ImageLoadError(`${path} cannot be read: ${error.message}`);
  });
  try {
    const magic = Buffer.alloc(5);
    await file.read(magic, 0, 5, TAR_MAGIC_AT);
    if (magic.toString('latin1') !== 'ustar')
      throw new ImageLoadError(`${path} is no tar of an image (OCI layout or docker-archive)`);
  } finally {
    await file.close();
  }
}
