/** The `kubets` command. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ClusterError } from '../cluster/errors.ts';
import { PROXY_MODES } from '../proxy/modes.ts';
import type { JoinFlags } from './commands/join.ts';
import { type ClusterFlags, DEFAULT_NAME, type UpFlags } from './flags.ts';

/** Errors of the parts below whose message is made for a person. */
const ONE_LINERS = new Set(['DescriptionError', 'PackageError', 'ImageLoadError', 'CertificateError', 'RuntimeError']);

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('a port is a number from 1 to 65535');
  return port;
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('a count is a whole number from 1 on');
  return count;
}

function truthOf(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('true or false');
  return text === 'true';
}

function proxyMode(): Option {
  return new Option('--proxy-mode <mode>', 'how services are done in the kernel (default: nftables)').choices(
    PROXY_MODES,
  );
}

/** Options that say which cluster is meant. */
function forCluster(command: Command): Command {
  return command
    .option('--name <name>', 'which cluster, where there are several', DEFAULT_NAME)
    .option('--data-dir <dir>', 'where the cluster keeps its data (default: /var/lib/kubets/<name>)');
}

const program = new Command('kubets')
  .description('Kubernetes on this machine, in one process')
  .showHelpAfterError(false)
  .exitOverride();
program.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'kubets: ')) });

// Each command is a file that is loaded only when it is called.
forCluster(program.command('up').description('start a cluster and wait until its node is Ready'))
  .option('--port <port>', 'of the API server (default: 6443, or the next free one)', portOf)
  .option('--bind-address <address>', 'on which the API server listens (default: all)')
  .option('--nodes <count>', 'how many nodes; more than one need --runtime simulated (default: 1)', countOf)
  .addOption(
    new Option(
      '--runtime <runtime>',
      'containerd: real containers; simulated: any number of nodes, on any platform',
    ).choices(['containerd', 'simulated']),
  )
  .option('--load-balancer-range <cidr>', 'addresses for services of type LoadBalancer (default: a range of its own)')
  .option('--advertise-address <address>', 'under which other nodes reach the API server (default: this machine)')
  .option('--certificate-name <name...>', "further names and addresses of the API server's certificate")
  .addOption(
    new Option('--network <network>', 'how pods of different nodes reach each other (default: vxlan)').choices([
      'vxlan',
      'host-gw',
      'none',
    ]),
  )
  .addOption(proxyMode())
  .option('--cluster-cidr <cidr>', 'addresses of all pods (default: 10.244.0.0/16, or one of its own)')
  .option('--node-name <name>', "of this machine's node (default: the machine's)")
  .option('--audit-policy-file <file>', 'which requests are written to the audit log (audit.k8s.io/v1 Policy)')
  .option('--audit-log-path <file>', 'the audit log (default: logs/audit.log of the data directory)')
  .option('--authorization-mode <modes>', 'who decides, in order: Node, RBAC, ABAC, … (default: Node,RBAC)')
  .option('--authorization-policy-file <file>', 'policies for the authorization mode ABAC')
  .option(
    '--anonymous-auth <true|false>',
    'whether requests without credentials are looked at (default: true)',
    truthOf,
  )
  .option('--foreground', 'stay in front until interrupted')
  .option('--no-install', 'install nothing: refuse where something is missing')
  .action(async (flags: UpFlags) => (await import('./commands/up.ts')).up(flags));
forCluster(
  program.command('join <server>').description('make this machine a node of the cluster whose API server is there'),
)
  .requiredOption('--token <token>', 'from kubets token create, on the machine of the API server')
  .requiredOption('--ca-hash <hash>', "of the key of the cluster's CA, from there, too")
  .option('--node-name <name>', "of the node (default: the machine's)")
  .addOption(proxyMode())
  .option('--node-ip <address>', 'under which the other nodes reach this one (default: as the server sees it)')
  .option('--foreground', 'stay in front until interrupted')
  .option('--no-install', 'install nothing: refuse where something is missing')
  .action(async (server: string, flags: JoinFlags) => (await import('./commands/join.ts')).join(server, flags));
forCluster(program.command('down').description('stop the cluster; containers run on until the next up')).action(
  async (flags: ClusterFlags) => (await import('./commands/down.ts')).down(flags),
);
forCluster(program.command('status').description('say how the cluster is')).action(async (flags: ClusterFlags) =>
  (await import('./commands/status.ts')).status(flags),
);
forCluster(program.command('delete').description('remove the cluster with all that is in it')).action(
  async (flags: ClusterFlags) => (await import('./commands/delete.ts')).deleteCluster(flags),
);
forCluster(program.command('logs').description("show the kubets process's own log"))
  .option('-f, --follow', 'go on as it grows')
  .action(async (flags: ClusterFlags & { follow?: boolean }) => (await import('./commands/logs.ts')).logs(flags));
forCluster(program.command('kubeconfig').description('print a kubeconfig for the cluster')).action(
  async (flags: ClusterFlags) => (await import('./commands/kubeconfig.ts')).kubeconfig(flags),
);

const image = program.command('image').description('images of the cluster, without a registry');
forCluster(
  image
    .command('load <file-or-name...>')
    .description('load a tar (OCI or docker-archive), or an image that comes with kubets'),
).action(async (what: string[], flags: ClusterFlags) => (await import('./commands/image.ts')).load(what, flags));
forCluster(image.command('build <description>').description('build an image from a description file and load it'))
  .option('-o, --output <tar>', 'write the image to a file instead of loading it')
  .action(async (file: string, flags: ClusterFlags & { output?: string }) =>
    (await import('./commands/image.ts')).build(file, flags),
  );
forCluster(image.command('ls').description('list images')).action(async (flags: ClusterFlags) =>
  (await import('./commands/image.ts')).list(flags),
);
forCluster(image.command('rm <image...>').description('remove images')).action(
  async (names: string[], flags: ClusterFlags) => (await import('./commands/image.ts')).remove(names, flags),
);

const token = program.command('token').description('what lets other machines join as nodes');
forCluster(token.command('create').description('make a token and print the command to join with'))
  .option('--ttl <duration>', 'how long it is good for; 0: for ever', '24h')
  .option('--description <text>', 'what it is for')
  .action(async (flags: ClusterFlags & { ttl: string; description?: string }) =>
    (await import('./commands/token.ts')).create(flags),
  );
forCluster(token.command('list').description('list the tokens that there are')).action(async (flags: ClusterFlags) =>
  (await import('./commands/token.ts')).list(flags),
);
forCluster(token.command('delete <token>').description('delete a token')).action(
  async (id: string, flags: ClusterFlags) => (await import('./commands/token.ts')).remove(id, flags),
);

// What `up` starts in the background.
forCluster(program.command('daemon', { hidden: true })).action(async (flags: ClusterFlags) =>
  (await import('./commands/daemon.ts')).daemon(flags),
);

// Whoever reads only the first lines of what is said has no more of it; what is done is done to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    const { name = '', message } = error as Error;
    // What a person can mend is one line; anything else is a mistake of ours and shows where it is.
    const known = error instanceof ClusterError || ONE_LINERS.has(name) || 'syscall' in (error as object);
    process.stderr.write(known ? `kubets: ${message}\n` : `kubets: unexpected error: ${(error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
