/**
 * How the fields of a type stand in its protobuf message: sorted by number, which of them tell absence from
 * the zero value, and which stand in a message of their own though JSON shows them among the others.
 */
import type { Field, ObjectType, Type } from './types.ts';

export interface WireField {
  readonly wire: number;
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  /** Absent is not zero: only what is there is written. Always so for lists, maps and bytes. */
  readonly pointer: boolean;
}

/** A message whose fields are, in JSON, those of the object around it. It is always written. */
export interface Embedded {
  readonly wire: number;
  readonly layout: WireLayout;
}

export interface WireLayout {
  /** by number, smallest first */
  readonly fields: readonly (WireField | Embedded)[];
  readonly byWire: ReadonlyMap<number, WireField | Embedded>;
}

export function isEmbedded(field: WireField | Embedded): field is Embedded {
  return 'layout' in field;
}

/** `ScalarType.wireType` of a value that is a schema of a custom resource or true or false. */
export const SCHEMA_OR_BOOLEAN = 'JSONSchemaPropsOrBool';

/** The fields of an embedded message from number 1 on, by name; one that embeds again is a row itself. */
type Row = readonly [wire: number, fields: readonly (string | Row)[]];

const words = (text: string) => text.split(' ');
const SOURCES = words(
  'hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs persistentVolumeClaim ' +
    'rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte azureDisk ' +
    'photonPersistentDisk portworxVolume scaleIO projected storageos csi ephemeral image',
);
const PERSISTENT_SOURCES = words(
  'gcePersistentDisk awsElasticBlockStore hostPath glusterfs nfs rbd iscsi cinder cephfs fc flocker flexVolume ' +
    'azureFile vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO local storageos csi',
);
const CONTAINER = words(
  'name image command args workingDir ports env resources volumeMounts livenessProbe readinessProbe lifecycle ' +
    'terminationMessagePath imagePullPolicy securityContext stdin stdinOnce tty envFrom terminationMessagePolicy ' +
    'volumeDevices startupProbe resizePolicy restartPolicy restartPolicyRules',
);
const RULE = words('apiGroups apiVersions resources scope');

/** Types that embed another, by group and name. */
const EMBEDDED: Readonly<Record<string, Row>> = {
  'core.Volume': [2, SOURCES],
  'core.PersistentVolumeSpec': [2, PERSISTENT_SOURCES],
  'core.Probe': [1, words('exec httpGet tcpSocket grpc')],
  'core.EphemeralContainer': [1, CONTAINER],
  'core.ConfigMapVolumeSource': [1, ['name']],
  'core.ConfigMapProjection': [1, ['name']],
  'core.SecretProjection': [1, ['name']],
  'core.ConfigMapKeySelector': [1, ['name']],
  'core.SecretKeySelector': [1, ['name']],
  'core.ConfigMapEnvSource': [1, ['name']],
  'core.SecretEnvSource': [1, ['name']],
  'admissionregistration.RuleWithOperations': [2, RULE],
  'admissionregistration.NamedRuleWithOperations': [2, ['operations', [2, RULE]]],
  'networking.IngressRule': [2, ['http']],
  'resource.DeviceClaimConfiguration': [2, ['opaque']],
  'resource.DeviceAllocationConfiguration': [3, ['opaque']],
  'resource.DeviceClassConfiguration': [1, ['opaque']],
};
const API_TYPE = /^io\.k8s\.api\.([a-z]+)\.v[a-z0-9]+\.([A-Za-z]+)$/;

const layouts = new WeakMap<ObjectType, WireLayout>();

/** The layout of a type, made when it is first asked for. */
export function layoutOf(type: ObjectType): WireLayout {
  let layout = layouts.get(type);
  if (layout === undefined) {
    const fields: (WireField | Embedded)[] = [];
    for (const [name, field] of Object.entries(type.fields)) {
      if (field.wire !== undefined) fields.push(wireField(field.wire, name, field));
    }
    const match = API_TYPE.exec(type.name);
    const row = match === null ? undefined : EMBEDDED[`${match[1]}.${match[2]}`];
    if (row !== undefined) fields.push(embedded(type, row));
    layout = layoutFrom(fields);
    layouts.set(type, layout);
  }
  return layout;
}

function embedded(type: ObjectType, [wire, names]: Row): Embedded {
  const fields: (WireField | Embedded)[] = [];
  for (const [i, part] of names.entries()) {
    if (typeof part !== 'string') fields.push(embedded(type, part));
    else {
      const field = type.fields[part];
      if (field !== undefined) fields.push(wireField(i + 1, part, field));
    }
  }
  return { wire, layout: layoutFrom(fields) };
}

function layoutFrom(fields: (WireField | Embedded)[]): WireLayout {
  fields.sort((a, b) => a.wire - b.wire);
  return { fields, byWire: new Map(fields.map((field) => [field.wire, field])) };
}

function wireField(wire: number, name: string, field: Field): WireField {
  return { wire, name, type: field.type, required: field.required, pointer: isPointer(name, field) };
}

/** Parts of an object that Kubernetes has as values everywhere. */
const VALUES: ReadonlySet<string> = new Set(['metadata', 'spec', 'status', 'template']);

/** `FieldOptions.pointer`, or the usual rule where a field does not say it. */
export function isPointer(name: string, { type, required, pointer }: Field): boolean {
  if (pointer !== undefined) return pointer;
  if (required) return false;
  switch (type.kind) {
    case 'object':
      return !VALUES.has(name);
    case 'scalar':
      return type.scalar !== 'string' && type.scalar !== 'time';
    default:
      return true;
  }
}
