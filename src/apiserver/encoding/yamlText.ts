/** A JSON value as YAML, which every parser of YAML 1.1 and 1.2 reads alike. */
import { stringify } from 'yaml';

/** Keys are sorted, as Kubernetes writes them. */
export function yamlText(value: unknown): string {
  // 1.1 quotes what older parsers take for something else than text: `yes`, `on`, `0o7`.
  return stringify(value, {
    version: '1.1',
    sortMapEntries: true,
    aliasDuplicateObjects: false,
    lineWidth: 0,
    indentSeq: false,
  });
}
