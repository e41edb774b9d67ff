/** Names of images in full, as container runtimes keep them. */

/** `nginx` is docker.io/library/nginx:latest: the registry that is meant where none is named, and the tag. */
export function fullImageName(name: string): string {
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  const path = hasRegistry ? name : rest.length === 0 ? `docker.io/library/${name}` : `docker.io/${name}`;
  const last = path.slice(path.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? path : `${path}:latest`;
}
