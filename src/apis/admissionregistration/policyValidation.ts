/**
 * What policies and their bindings of both kinds share.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { dnsLabel1035, dnsSubdomain, pathSegment } from '../../machinery/names.ts';
import type { MatchResources, ParamKind, ParamRef } from './match.ts';
import { FAILURE_POLICIES, validateMatchResources, validateWord } from './matchValidation.ts';

export interface PolicyHead {
  failurePolicy?: string;
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
}

export function validatePolicyHead(spec: PolicyHead, errors: FieldError[]): void {
  validateWord(spec.failurePolicy, FAILURE_POLICIES, 'spec.failurePolicy', errors);
  if (spec.paramKind !== undefined) validateParamKind(spec.paramKind, 'spec.paramKind', errors);
  if (spec.matchConstraints === undefined) {
    errors.push(required('spec.matchConstraints'));
    return;
  }
  validateMatchResources(spec.matchConstraints, 'spec.matchConstraints', errors);
  if ((spec.matchConstraints.resourceRules ?? []).length === 0) {
    errors.push(required('spec.matchConstraints.resourceRules'));
  }
}

function validateParamKind({ apiVersion = '', kind = '' }: ParamKind, path: string, errors: FieldError[]): void {
  if (apiVersion === '') errors.push(required(`${path}.apiVersion`));
  else {
    const parts = apiVersion.split('/');
    const [group, version] = parts.length === 1 ? ['', parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? ''];
    if (parts.length > 2) {
      errors.push(invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    } else {
      const faults = group === '' ? [] : dnsSubdomain(group);
      if (faults.length > 0) errors.push(invalid(`${path}.apiVersion`, group, faults.join(',')));
      if (version === '') errors.push(invalid(`${path}.apiVersion`, apiVersion, 'version must be specified'));
      else {
        const wrong = dnsLabel1035(version);
        if (wrong.length > 0) errors.push(invalid(`${path}.apiVersion`, version, wrong.join(',')));
      }
    }
  }
  if (kind === '') errors.push(required(`${path}.kind`));
  else {
    const faults = dnsLabel1035(kind.toLowerCase());
    if (faults.length > 0) {
      const detail = `may have mixed case, but should otherwise match: ${faults.join(',')}`;
      errors.push(invalid(`${path}.kind`, kind, detail));
    }
  }
}

export interface BindingHead {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
}

export function validateBindingHead(spec: BindingHead, errors: FieldError[]): void {
  if (!spec.policyName) errors.push(required('spec.policyName'));
  else {
    for (const fault of dnsSubdomain(spec.policyName)) errors.push(invalid('spec.policyName', spec.policyName, fault));
  }
  if (spec.paramRef !== undefined) validateParamRef(spec.paramRef, 'spec.paramRef', errors);
  // The path is spelt as Kubernetes spells it.
  if (spec.matchResources !== undefined) validateMatchResources(spec.matchResources, 'spec.matchResouces', errors);
}

const NOT_FOUND_ACTIONS = ['Deny', 'Allow'];

function validateParamRef(ref: ParamRef, path: string, errors: FieldError[]): void {
  const named = ref.name !== undefined && ref.name !== '';
  if (named) {
    for (const fault of pathSegment(ref.name ?? '')) errors.push(invalid(`${path}.name`, ref.name, fault));
  }
  if (named && ref.selector !== undefined) {
    errors.push(forbidden(`${path}.name`, 'name and selector are mutually exclusive'));
  }
  if (ref.selector !== undefined) {
    errors.push(...validateLabelSelector(ref.selector, `${path}.selector`));
    if (named) errors.push(forbidden(`${path}.selector`, 'name and selector are mutually exclusive'));
  }
  if (!named && ref.selector === undefined) errors.push(required(path, 'one of name or selector must be specified'));
  const action = ref.parameterNotFoundAction;
  if (!action) errors.push(required(`${path}.parameterNotFoundAction`));
  else if (!NOT_FOUND_ACTIONS.includes(action)) {
    errors.push(notSupported(`${path}.parameterNotFoundAction`, action, NOT_FOUND_ACTIONS));
  }
}
