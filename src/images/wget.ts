/**
 * `wget` for images with Debian's busybox, which is built without its time limit: it ends in a segmentation fault
 * where one is given. Everything else is left to it.
 */
export const WGET = `#!/bin/sh
limit=
left=$#
while [ "$left" -gt 0 ]; do
  arg=$1
  shift
  left=$((left - 1))
  case $arg in
    -T | --timeout)
      limit=$1
      shift
      left=$((left - 1))
      ;;
    -T*) limit=\${arg#-T} ;;
    --timeout=*) limit=\${arg#--timeout=} ;;
    *) set -- "$@" "$arg" ;;
  esac
done
[ -n "$limit" ] || exec /bin/busybox wget "$@"
/bin/busybox timeout "$limit" /bin/busybox wget "$@"
status=$?
[ "$status" -lt 124 ] && exit "$status"
echo 'wget: download timed out' >&2
exit 1
`;
