/**
 * Makes the host's name resolution work in a root where programs run: `$1` is the root, with /run mounted. A copy of
 * resolv.conf(5) lies in /run and is seen at /etc/resolv.conf, or where that link points below /run; the root's own file stays.
 */
export const NAME_SERVICE = `[ -s /etc/resolv.conf ] || exit 0
cd "$1"
[ -d etc ] && [ ! -L etc ] || exit 0
cat /etc/resolv.conf >run/mkroot-resolv.conf
if [ -L etc/resolv.conf ]; then
  target=$(readlink etc/resolv.conf)
  case $target in
    /*/../* | ../*/../*) exit 0 ;;
    /run/*) ;;
    ../run/*) target=/\${target#../} ;;
    *) exit 0 ;;
  esac
  mkdir -p ".\${target%/*}"
  cat run/mkroot-resolv.conf >".$target"
else
  [ -e etc/resolv.conf ] || : >etc/resolv.conf
  mount --bind run/mkroot-resolv.conf etc/resolv.conf
fi`;
