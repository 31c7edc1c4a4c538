#!/bin/bash
# services.sh TREE: lays services of Debian and programs for backups over a tree that build.sh made,
# unless that is done already, and prints where the layer is. Needs root and a Debian mirror; takes
# some minutes once.
set -euo pipefail
[[ ${1:-} = inside ]] || {
    tree=$1
    layer=$tree-services-$(sha256sum "$0" | cut -c1-16)
    if [[ ! -d $layer ]]; then
        unshare --mount --propagation private bash "$0" inside "$tree" "$layer" >&2
    fi
    echo "$layer"
    exit
}
tree=$2 layer=$3
packages=(
    restic borgbackup rsync                                  # what reads the lists
    postgresql mariadb-server redis-server slapd ldap-utils  # databases
    influxdb influxdb-client etcd-server etcd-client knot sqlite3
    tor mosquitto mosquitto-clients syncthing openssh-server # other state
)
making=$(mktemp -d "$layer.making.XXXXXX")
trap 'rm -rf "$making"' EXIT
mkdir "$making"/{upper,work,root}
mount -t overlay overlay \
    -o "lowerdir=$tree,upperdir=$making/upper,workdir=$making/work" "$making/root"
policy=$making/root/usr/sbin/policy-rc.d
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"
export DEBIAN_FRONTEND=noninteractive
chroot "$making/root" apt-get -qq update </dev/null
chroot "$making/root" apt-get -qq install -y --no-install-recommends "${packages[@]}" </dev/null
rm -rf "$policy" "$making"/root/var/cache/apt/archives/*.deb "$making"/root/var/lib/apt/lists/*
# Each test starts what it needs.
rm -f "$making"/root/etc/systemd/system/multi-user.target.wants/{mariadb,redis-server,influxdb,etcd,knot,tor,mosquitto,ssh}.service
umount "$making/root"
chmod 755 "$making/upper"
mv "$making/upper" "$layer"
