/** Prefers nodes that have the pod's images already, the more the larger these are. */
import type { NodeInfo } from '../nodeInfo.ts';
import { MAX_SCORE, type Plugin } from '../plugin.ts';

const MEBIBYTE = 1024 * 1024;
/** Smaller images do not count. */
const LEAST_BYTES = 23 * MEBIBYTE;
/** More than this for a container does not count. */
const MOST_BYTES = 1000 * MEBIBYTE;

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  score({ spec }, snapshot) {
    const images = [...(spec.initContainers ?? []), ...spec.containers].map((c) => withTag(c.image ?? ''));
    const spread = new Map(images.map((image) => [image, shareOfNodes(image, snapshot.nodes)]));
    if ([...spread.values()].every((share) => share === 0)) return undefined;
    return {
      of(node) {
        let bytes = 0;
        // What only few nodes have counts less, so that not all pods run after it.
        for (const image of images) bytes += Math.floor(sizeOn(node, image) * (spread.get(image) ?? 0));
        const most = MOST_BYTES * images.length;
        const counted = Math.min(Math.max(bytes, LEAST_BYTES), most);
        return Math.floor((MAX_SCORE * (counted - LEAST_BYTES)) / (most - LEAST_BYTES));
      },
    };
  },
};

function sizeOn({ node }: NodeInfo, image: string): number {
  return node.status?.images?.find((i) => i.names?.includes(image))?.sizeBytes ?? 0;
}

function shareOfNodes(image: string, nodes: readonly NodeInfo[]): number {
  return nodes.filter((node) => sizeOn(node, image) > 0).length / nodes.length;
}

/** An image without a tag is its latest one. */
function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
