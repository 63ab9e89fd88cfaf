# shellcheck shell=sh
# What the image's builder decided: /etc/mkroot/initrd.conf. Its keys are those of src/netboot/initrd-settings.ts.

# load_settings: the file is written by mkroot itself, single-quoted assignments only, hence it may be sourced.
load_settings() {
  MKROOT_VERSION=unknown
  MKROOT_IMAGE=''
  MKROOT_GENERATION=''
  MKROOT_KERNEL=''
  MKROOT_MODULES='af_packet overlay nfs nfsv3'
  MKROOT_NIC_MODULES=''
  MKROOT_BUILT=0
  MKROOT_DEFAULTS=''
  if [ -r "$ROOT/etc/mkroot/initrd.conf" ]; then
    # shellcheck source=/dev/null # Written at build time.
    . "$ROOT/etc/mkroot/initrd.conf"
  fi
}

# raise_clock_to_build_time: a node with an empty clock battery must not live before its image was built.
raise_clock_to_build_time() {
  is_number "$MKROOT_BUILT" || return 0
  if [ "$(date +%s)" -lt "$MKROOT_BUILT" ]; then
    clock_before=$(date -u '+%Y-%m-%d %H:%M')
    date -s "@$MKROOT_BUILT" >/dev/null 2>&1 || :
    print_line 5 "mkroot: the clock said $clock_before, before the image was made; it is set to $(date -u '+%Y-%m-%d %H:%M')"
  fi
}
