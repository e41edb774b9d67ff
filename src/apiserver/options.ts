/** What an API server is made of. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Kind } from '../machinery/kind.ts';
import type { Storage } from '../storage/storage.ts';
import type { AuditOptions } from './audit/audit.ts';
import type { AuthorizationOptions } from './authorization/modes.ts';
import type { HealthCheck } from './health.ts';
import type { UsageSource } from './resourceMetrics/usage.ts';

export interface ApiServerOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** what is served; absent: all kinds of Kubernetes that are built in */
  readonly kinds?: readonly Kind[];
  readonly tls: {
    /** PEM: the serving certificate and its key */
    readonly cert: string;
    readonly key: string;
    /** PEM: the CA whose client certificates are believed */
    readonly clientCA: string;
  };
  /** With which kubelets are called: PEM, and the CA of their serving certificates. */
  readonly kubeletClient: { readonly cert: string; readonly key: string; readonly ca: string };
  /** With which other API servers are called in the name of users, and its CA: PEM. Absent: they are not told of users. */
  readonly frontProxy?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** PEM: signs the tokens of service accounts */
  readonly serviceAccountKey: string;
  /** `https://kubernetes.default.svc.cluster.local` */
  readonly serviceAccountIssuer: string;
  /** `10.96.0.0/16`: where services get their addresses from */
  readonly serviceCIDR: string;
  /** of the IPv6 addresses of services; absent: they have none */
  readonly serviceCIDRv6?: string;
  /** Under which other machines and pods reach this server; for the service `kubernetes`. */
  readonly advertiseAddress: string;
  /** absent: Node and RBAC */
  readonly authorization?: AuthorizationOptions;
  /** false: who is not known is refused, but for nothing. Absent: such requests are those of `system:anonymous` */
  readonly anonymous?: boolean;
  /** Where the usage of nodes is read beside their kubelets; absent: metrics.k8s.io is not served by this server. */
  readonly nodeUsage?: UsageSource;
  /** absent: requests are not written down */
  readonly audit?: AuditOptions;
  /** the other parts of the control plane, for who asks for component statuses; absent: only the store is told of */
  readonly components?: readonly HealthCheck[];
}

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one */
  readonly port: number;
}
