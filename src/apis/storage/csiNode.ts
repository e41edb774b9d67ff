import { duplicate, type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateDriverName } from './validation.ts';

export const CSINode = object('io.k8s.api.storage.v1.CSINode', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, CSINodeSpec),
}));
export interface CSINode extends Infer<typeof CSINode> {}

export const CSINodeSpec = object('io.k8s.api.storage.v1.CSINodeSpec', () => ({
  drivers: req(1, list(CSINodeDriver, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' }), {
    doc: 'The CSI drivers that run on the node.',
  }),
}));
export interface CSINodeSpec extends Infer<typeof CSINodeSpec> {}

export const CSINodeDriver = object('io.k8s.api.storage.v1.CSINodeDriver', () => ({
  name: req(1, str, { doc: 'As the driver names itself.' }),
  nodeID: req(2, str, { doc: 'What the driver calls this node.' }),
  topologyKeys: opt(3, list(str), { doc: 'Labels of the node that tell the driver where it is.' }),
  allocatable: opt(4, VolumeNodeResources, { doc: 'How many volumes of the driver the node takes.' }),
}));
export interface CSINodeDriver extends Infer<typeof CSINodeDriver> {}

export const VolumeNodeResources = object('io.k8s.api.storage.v1.VolumeNodeResources', () => ({
  count: opt(1, int32),
}));
export interface VolumeNodeResources extends Infer<typeof VolumeNodeResources> {}

/** CSI nodes: the drivers of volumes that a node has. */
export const csiNodes = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  plural: 'csinodes',
  schema: CSINode,
  namespaced: false,
  returnsDeleted: true,
  validate: validateNode,
  update: {
    validate(node, old) {
      const errors = validateNode(node);
      // How many volumes a node takes may change; what else a driver said of itself may not.
      const before = new Map((old.spec?.drivers ?? []).map((driver) => [driver.name, driver]));
      for (const driver of node.spec?.drivers ?? []) {
        const known = before.get(driver.name);
        if (known !== undefined && !semanticEqual(CSINodeDriver, bare(driver), bare(known))) {
          errors.push(invalid('spec.drivers', driver, 'field is immutable'));
        }
      }
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Drivers',
      type: 'integer',
      description: 'How many CSI drivers run on the node.',
      value: (node) => node.spec?.drivers?.length ?? 0,
    },
    AGE_COLUMN,
  ],
});

const NODE_ID_MAX = 256;

const bare = ({ allocatable: _, ...driver }: CSINodeDriver) => driver;

function validateNode(node: CSINode): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, driver] of (node.spec?.drivers ?? []).entries()) {
    const at = `spec.drivers[${i}]`;
    validateDriverName(driver.name, `${at}.name`, errors);
    if (!driver.nodeID) errors.push(required(`${at}.nodeID`));
    else if (Buffer.byteLength(driver.nodeID) > NODE_ID_MAX) {
      errors.push(invalid(`${at}.nodeID`, driver.nodeID, `must be ${NODE_ID_MAX} characters or less`));
    }
    const count = driver.allocatable?.count ?? 0;
    if (count < 0) errors.push(invalid(`${at}.allocatable.count`, count, 'must be greater than or equal to 0'));
    if (names.has(driver.name)) errors.push(duplicate(`${at}.name`, driver.name));
    names.add(driver.name);
    validateTopologyKeys(driver.topologyKeys ?? [], at, errors);
  }
  return errors;
}

function validateTopologyKeys(keys: readonly string[], path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    if (key === '') errors.push(required(path));
    if (seen.has(key)) errors.push(duplicate(path, key));
    seen.add(key);
    for (const fault of qualifiedName(key)) errors.push(invalid(path, key, fault));
  }
}
