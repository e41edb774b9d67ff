/** Prefers nodes that have the pod's images already, the more the larger these are. */
import { imagesOf } from '../nodeImages.ts';
import { MAX_SCORE, type Plugin } from '../plugin.ts';

const MEBIBYTE = 1024 * 1024;
/** Smaller images do not count. */
const LEAST_BYTES = 23 * MEBIBYTE;
/** More than this for a container does not count. */
const MOST_BYTES = 1000 * MEBIBYTE;

export const imageLocality: Plugin = {
  name: 'ImageLocality',
  score({ spec }, { nodes, imageCounts }) {
    const containers = [...(spec.initContainers ?? []), ...spec.containers];
    const images = containers.map((c) => withTag(c.image ?? '')).filter((image) => imageCounts.has(image));
    if (images.length === 0) return undefined;
    const most = MOST_BYTES * containers.length;
    return {
      of({ node }) {
        const sizes = imagesOf(node);
        let bytes = 0;
        // What only few nodes have counts less, so that not all pods run after it.
        for (const image of images) {
          bytes += Math.floor((sizes.get(image) ?? 0) * ((imageCounts.get(image) ?? 0) / nodes.length));
        }
        const counted = Math.min(Math.max(bytes, LEAST_BYTES), most);
        return Math.floor((MAX_SCORE * (counted - LEAST_BYTES)) / (most - LEAST_BYTES));
      },
    };
  },
};

/** An image without a tag is its latest one. */
function withTag(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}
