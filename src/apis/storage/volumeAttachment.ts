import { type FieldError, forbidden, invalid, required, tooLong } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsSubdomain } from '../../machinery/names.ts';
import { bool, type Infer, int32, map, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { PersistentVolumeSpec } from '../core/persistentVolume.ts';
import { validateInlineVolumeSpec } from '../core/validation/persistentVolume.ts';
import { keepLabels, keepSpec } from '../statusRules.ts';
import { validateDriverName } from './validation.ts';

export const VolumeAttachment = object('io.k8s.api.storage.v1.VolumeAttachment', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, VolumeAttachmentSpec),
  status: opt(3, VolumeAttachmentStatus),
}));
export interface VolumeAttachment extends Infer<typeof VolumeAttachment> {}

export const VolumeAttachmentStatus = object('io.k8s.api.storage.v1.VolumeAttachmentStatus', () => ({
  attached: req(1, bool, { doc: 'Whether the volume is attached.' }),
  attachmentMetadata: opt(2, map(str)),
  attachError: opt(3, VolumeError),
  detachError: opt(4, VolumeError),
}));
export interface VolumeAttachmentStatus extends Infer<typeof VolumeAttachmentStatus> {}

export const VolumeError = object('io.k8s.api.storage.v1.VolumeError', () => ({
  time: opt(1, time),
  message: opt(2, str),
  errorCode: opt(3, int32),
}));
export interface VolumeError extends Infer<typeof VolumeError> {}

export const VolumeAttachmentSpec = object('io.k8s.api.storage.v1.VolumeAttachmentSpec', () => ({
  attacher: req(1, str, { doc: 'The CSI driver that attaches the volume.' }),
  source: req(2, VolumeAttachmentSource, { doc: 'The volume.' }),
  nodeName: req(3, str, { doc: 'The node to which it is attached.' }),
}));
export interface VolumeAttachmentSpec extends Infer<typeof VolumeAttachmentSpec> {}

export const VolumeAttachmentSource = object('io.k8s.api.storage.v1.VolumeAttachmentSource', () => ({
  persistentVolumeName: opt(1, str, { pointer: true }),
  inlineVolumeSpec: opt(2, PersistentVolumeSpec),
}));
export interface VolumeAttachmentSource extends Infer<typeof VolumeAttachmentSource> {}

/** Volume attachments: that a volume is to be attached to a node. */
export const volumeAttachments = defineKind<VolumeAttachment>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  schema: VolumeAttachment,
  namespaced: false,
  returnsDeleted: true,
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
  validate: validateAttachment,
  update: {
    prepare(attachment, old) {
      attachment.status = old.status ?? { attached: false };
    },
    validate: validateAttachmentUpdate,
  },
  status: {
    prepare(attachment, old) {
      keepSpec(attachment, old);
      keepLabels(attachment, old);
    },
    validate: validateAttachmentUpdate,
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Attacher',
      type: 'string',
      format: 'name',
      description: 'The CSI driver that attaches the volume.',
      value: (attachment) => attachment.spec?.attacher ?? '',
    },
    {
      name: 'PV',
      type: 'string',
      description: 'The persistent volume, where it is one.',
      value: (attachment) => attachment.spec?.source?.persistentVolumeName ?? '',
    },
    {
      name: 'Node',
      type: 'string',
      description: 'The node to which it is attached.',
      value: (attachment) => attachment.spec?.nodeName ?? '',
    },
    {
      name: 'Attached',
      type: 'boolean',
      description: 'Whether it is attached.',
      value: (attachment) => attachment.status?.attached ?? false,
    },
    AGE_COLUMN,
  ],
});

const METADATA_MAX_BYTES = 256 * 1024;
const MESSAGE_MAX_BYTES = 1024;
const ONE_SOURCE = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

function validateAttachment(attachment: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<VolumeAttachmentSpec> = attachment.spec ?? {};
  validateDriverName(spec.attacher, 'spec.attacher', errors);
  const { inlineVolumeSpec: inline, persistentVolumeName: name }: VolumeAttachmentSource = spec.source ?? {};
  if (inline === undefined && name === undefined) errors.push(required('spec.source', ONE_SOURCE));
  else if (inline !== undefined && name !== undefined) errors.push(forbidden('spec.source', ONE_SOURCE));
  else if (inline !== undefined) validateInlineVolumeSpec(inline, 'spec.source.inlineVolumeSpec', errors);
  else if (!name) {
    errors.push(required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName'));
  }
  if (name) {
    for (const fault of dnsSubdomain(name)) errors.push(invalid('spec.source.persistentVolumeName', name, fault));
  }
  const node = spec.nodeName ?? '';
  for (const fault of dnsSubdomain(node)) errors.push(invalid('spec.nodeName', node, fault));
  validateStatus(attachment.status, errors);
  return errors;
}

function validateStatus(status: VolumeAttachmentStatus | undefined, errors: FieldError[]): void {
  let size = 0;
  for (const [key, value] of Object.entries(status?.attachmentMetadata ?? {})) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > METADATA_MAX_BYTES) errors.push(tooLong('status.attachmentMetadata', METADATA_MAX_BYTES));
  for (const field of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode = 0 } = status?.[field] ?? {};
    if (Buffer.byteLength(message) > MESSAGE_MAX_BYTES) {
      errors.push(tooLong(`status.${field}.message`, MESSAGE_MAX_BYTES));
    }
    if (errorCode < 0) {
      errors.push(invalid(`status.${field}.errorCode`, errorCode, 'must be between 0 and 2147483647, inclusive'));
    }
  }
}

function validateAttachmentUpdate(attachment: VolumeAttachment, old: VolumeAttachment): FieldError[] {
  const errors = validateAttachment(attachment);
  if (!semanticEqual(VolumeAttachmentSpec, attachment.spec, old.spec)) {
    errors.push(invalid('spec', attachment.spec, 'field is immutable'));
  }
  return errors;
}
