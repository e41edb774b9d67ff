/**
 * The folder of plugins that the runtime is told: those of the machine, and one of our own around the plugin that limits
 * how much a pod sends and receives.
 *
 * Source: https://www.cni.dev/plugins/current/meta/bandwidth/
 */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where distributions put the plugins. */
const PLUGIN_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];

/** Undefined where the plugins are not installed. */
export function pluginFolder(): string | undefined {
  return PLUGIN_FOLDERS.find((dir) => existsSync(join(dir, 'bridge')));
}

/** Limits a pod as its annotations say. */
export const BANDWIDTH_PLUGIN = 'kubets-bandwidth';

/** Makes the folder, or puts it right. */
export async function preparePlugins(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const folder of PLUGIN_FOLDERS) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!existsSync(join(dir, name))) await link(join(folder, name), join(dir, name));
    }
  }
  // Not every distribution brings all of them.
  const bandwidth = join(dir, 'bandwidth');
  const own = join(dir, BANDWIDTH_PLUGIN);
  if (existsSync(bandwidth)) {
    await writeFile(own, script(bandwidth));
    await chmod(own, 0o755);
  } else await rm(own, { force: true });
}

/** A link that leads nowhere any more gives way. */
async function link(target: string, path: string): Promise<void> {
  await rm(path, { force: true });
  await symlink(target, path);
}

/**
 * The runtime asks for the largest bucket that there is, 512 MB: a pod would first send that much at any speed. A tenth
 * of a second's worth lets packets through in bunches and keeps to the limit. In bits; at least 64 KB. The runtime writes
 * the names with a capital. Nothing stays nothing.
 */
function script(plugin: string): string {
  return `#!/bin/sh
conf=$(cat)
bucket() {
  rate=$(printf '%s' "$conf" | sed -n "s/.*\\"$1Rate\\":\\([0-9]*\\).*/\\1/Ip")
  bits=$((\${rate:-0} / 10))
  [ "$bits" -ge 524288 ] || bits=524288
  printf '%s' "$bits"
}
printf '%s' "$conf" |
  sed "s/\\"\\(ingressBurst\\)\\":[1-9][0-9]*/\\"\\1\\":$(bucket ingress)/I; s/\\"\\(egressBurst\\)\\":[1-9][0-9]*/\\"\\1\\":$(bucket egress)/I" |
  '${plugin}'
`;
}
