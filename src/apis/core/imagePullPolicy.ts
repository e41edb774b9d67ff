/** Source: https://kubernetes.io/docs/concepts/containers/images/#imagepullpolicy-defaulting */

/** `Always` for the tag `latest`, given or meant; `IfNotPresent` for other tags and for digests. */
export function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  return colon < 0 || name.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}
