/**
 * What is wrong with probes and lifecycle hooks.
 * Source: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */
import { type FieldError, forbidden, invalid, required } from '../../../machinery/fieldError.ts';
import { portName, portNumber } from '../../../machinery/names.ts';
import type { Container, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, TCPSocketAction } from '../container.ts';
import { checkChoice, checkNotNegative, checkRange } from './rules.ts';

const SCHEMES = ['HTTP', 'HTTPS'];
const HEADER_NAME = /^[-A-Za-z0-9]+$/;

/** The probes and hooks of a container that may have them. */
export function validateProbesOf(container: Container, grace: number, path: string, errors: FieldError[]): void {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  if (livenessProbe !== undefined) {
    validateProbe(livenessProbe, `${path}.livenessProbe`, errors);
    mustSucceedOnce(livenessProbe, `${path}.livenessProbe`, errors);
  }
  if (readinessProbe !== undefined) {
    validateProbe(readinessProbe, `${path}.readinessProbe`, errors);
    if (readinessProbe.terminationGracePeriodSeconds !== undefined) {
      const at = `${path}.readinessProbe.terminationGracePeriodSeconds`;
      errors.push(invalid(at, readinessProbe.terminationGracePeriodSeconds, 'must not be set for readinessProbes'));
    }
  }
  if (startupProbe !== undefined) {
    validateProbe(startupProbe, `${path}.startupProbe`, errors);
    mustSucceedOnce(startupProbe, `${path}.startupProbe`, errors);
  }
  if (lifecycle !== undefined) validateLifecycle(lifecycle, grace, `${path}.lifecycle`, errors);
}

function mustSucceedOnce(probe: Probe, path: string, errors: FieldError[]): void {
  if (probe.successThreshold !== 1)
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
}

function validateProbe(probe: Probe, path: string, errors: FieldError[]): void {
  let handlers = 0;
  if (probe.exec !== undefined) {
    handlers++;
    validateCommand(probe.exec.command, `${path}.exec.command`, errors);
  }
  if (probe.httpGet !== undefined) {
    if (handlers++ > 0) errors.push(oneOnly(`${path}.httpGet`));
    else validateHttpGet(probe.httpGet, `${path}.httpGet`, errors);
  }
  if (probe.tcpSocket !== undefined) {
    if (handlers++ > 0) errors.push(oneOnly(`${path}.tcpSocket`));
    else validateTcpSocket(probe.tcpSocket, `${path}.tcpSocket`, errors);
  }
  if (probe.grpc !== undefined) {
    if (handlers++ > 0) errors.push(oneOnly(`${path}.grpc`));
    else
      for (const fault of portNumber(probe.grpc.port))
        errors.push(invalid(`${path}.grpc.port`, probe.grpc.port, fault));
  }
  if (handlers === 0) errors.push(required(path, 'must specify a handler type'));
  checkNotNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`, errors);
  checkNotNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`, errors);
  checkNotNegative(probe.periodSeconds, `${path}.periodSeconds`, errors);
  checkNotNegative(probe.successThreshold, `${path}.successThreshold`, errors);
  checkNotNegative(probe.failureThreshold, `${path}.failureThreshold`, errors);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) {
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
}

function validateLifecycle(lifecycle: Lifecycle, grace: number, path: string, errors: FieldError[]): void {
  if (lifecycle.postStart !== undefined) validateHandler(lifecycle.postStart, grace, `${path}.postStart`, errors);
  if (lifecycle.preStop !== undefined) validateHandler(lifecycle.preStop, grace, `${path}.preStop`, errors);
}

function validateHandler(handler: LifecycleHandler, grace: number, path: string, errors: FieldError[]): void {
  let handlers = 0;
  if (handler.exec !== undefined) {
    handlers++;
    validateCommand(handler.exec.command, `${path}.exec.command`, errors);
  }
  if (handler.httpGet !== undefined) {
    if (handlers++ > 0) errors.push(oneOnly(`${path}.httpGet`));
    else validateHttpGet(handler.httpGet, `${path}.httpGet`, errors);
  }
  if (handler.tcpSocket !== undefined) {
    if (handlers++ > 0) errors.push(oneOnly(`${path}.tcpSocket`));
    else validateTcpSocket(handler.tcpSocket, `${path}.tcpSocket`, errors);
  }
  if (handler.sleep !== undefined) {
    if (handlers++ > 0) errors.push(oneOnly(`${path}.sleep`));
    // Zero waits for nothing, and is let through.
    else checkRange(handler.sleep.seconds ?? 0, 0, grace, `${path}.sleep.seconds`, errors);
  }
  if (handlers === 0) errors.push(required(path, 'must specify a handler type'));
}

const oneOnly = (path: string) => forbidden(path, 'may not specify more than 1 handler type');

function validateCommand(command: readonly string[] | undefined, path: string, errors: FieldError[]): void {
  if (command === undefined || command.length === 0) errors.push(required(path));
}

function validateHttpGet(get: HTTPGetAction, path: string, errors: FieldError[]): void {
  if (!get.path) errors.push(required(`${path}.path`));
  validatePortReference(get.port, `${path}.port`, errors);
  checkChoice(get.scheme, SCHEMES, `${path}.scheme`, errors);
  if (get.httpHeaders === undefined) return;
  for (const [i, header] of get.httpHeaders.entries()) {
    if (!header.name) errors.push(required(`${path}.httpHeaders[${i}].name`));
    else if (!HEADER_NAME.test(header.name)) {
      const detail = "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name')";
      errors.push(invalid(`${path}.httpHeaders[${i}].name`, header.name, detail));
    }
  }
}

function validateTcpSocket(socket: TCPSocketAction, path: string, errors: FieldError[]): void {
  validatePortReference(socket.port, `${path}.port`, errors);
}

/** A port by its number or by the name that the container gives it. */
function validatePortReference(port: number | string | undefined, path: string, errors: FieldError[]): void {
  if (port === undefined || port === '') errors.push(required(path));
  else {
    const faults = typeof port === 'number' ? portNumber(port) : portName(port);
    for (const fault of faults) errors.push(invalid(path, port, fault));
  }
}
