import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, map, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { PersistentVolumeSpec } from '../core/persistentVolume.ts';

export const VolumeAttachment = object('io.k8s.api.storage.v1.VolumeAttachment', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, VolumeAttachmentSpec),
  status: opt(3, VolumeAttachmentStatus),
}));
export interface VolumeAttachment extends Infer<typeof VolumeAttachment> {}

export const VolumeAttachmentStatus = object('io.k8s.api.storage.v1.VolumeAttachmentStatus', () => ({
  attached: req(1, bool),
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
  attacher: req(1, str),
  source: req(2, VolumeAttachmentSource),
  nodeName: req(3, str),
}));
export interface VolumeAttachmentSpec extends Infer<typeof VolumeAttachmentSpec> {}

export const VolumeAttachmentSource = object('io.k8s.api.storage.v1.VolumeAttachmentSource', () => ({
  persistentVolumeName: opt(1, str),
  inlineVolumeSpec: opt(2, PersistentVolumeSpec),
}));
export interface VolumeAttachmentSource extends Infer<typeof VolumeAttachmentSource> {}
