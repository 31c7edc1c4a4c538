#!/bin/sh
# boot.sh TREE SCRATCH NAME [OPTION...]: boots a throw-away copy of TREE, with systemd as PID 1, and
# stays until it is powered off. OPTIONs go to systemd-nspawn; TREE may be several, joined
# by ":". Runs in a mount namespace of its own: nothing is left mounted. A reboot keeps the copy.
set -eu
[ "$1" = inside ] || exec unshare --mount --propagation private sh "$0" inside "$@"
tree=$2 scratch=$3 name=$4
shift 4

mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
mount -t overlay overlay \
    -o "lowerdir=$tree,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"

# systemd-nspawn wants one hierarchy; machines with the hybrid layout get theirs covered up.
if [ "$(stat --file-system --format %T /sys/fs/cgroup)" != cgroup2fs ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
# A cgroup of its own, since nspawn makes children in the one where it was started, and version 2
# gives no controllers to the children of a cgroup that has processes.
mkdir -p "/sys/fs/cgroup/$name"

# A machine that reboots ends nspawn with 133, for a unit of the host to be restarted.
status=133
trap 'kill "$nspawn"' TERM
while [ "$status" = 133 ]; do
    sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "/sys/fs/cgroup/$name" \
        systemd-nspawn --quiet --directory="$scratch/root" --machine="$name" --hostname="$name" \
        --register=no --keep-unit --private-network --resolv-conf=off --timezone=off \
        --link-journal=no --notify-ready=yes --console=passive --kill-signal=SIGRTMIN+4 "$@" \
        --boot &
    nspawn=$!
    # Interrupted by the trap it is asked again.
    while kill -0 "$nspawn" 2>/dev/null; do
        status=0
        wait "$nspawn" || status=$?
    done
done
exit "$status"
