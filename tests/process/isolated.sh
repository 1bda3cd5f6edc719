# Sourced first, with the script's own arguments: goes on in name spaces of its own, as root of them, so that nets and
# mounts are nobody else's and go when it ends; or exits with 77 where that is not allowed.
if [ -z "${POPSGD_ISOLATED-}" ]; then
  if [ "$(id -u)" = 0 ]; then own="unshare -nm"; else own="unshare -Urnm"; fi
  $own true 2>/dev/null || { echo "skipped: no name spaces of its own"; exit 77; }
  # shellcheck disable=SC2086  # words
  POPSGD_ISOLATED=yes exec $own "$0" "$@"
fi
