/** Runs the plans of requests for certificates. */
import { certificateSigningRequests } from '../../apis/certificates/certificateSigningRequest.ts';
import type { KubeObject } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { type CertificateAuthority, planRequest } from './plan.ts';

const NAME = 'certificate-controller';

export function startCertificateController(context: ControllerContext, authority: CertificateAuthority): void {
  const informer = context.informers.of(certificateSigningRequests);
  const client = context.clientFor(NAME);
  const loop = startLoop({
    name: NAME,
    context,
    reads: [informer],
    plan(name) {
      const csr = informer.byKey(name);
      return csr === undefined ? undefined : planRequest(csr, authority, client, context.clock.now());
    },
  });
  const look = ({ metadata }: KubeObject) => loop.enqueue(metadata?.name ?? '');
  informer.handle({ onAdd: look, onUpdate: look });
}
