"""The real NetworkManager, recorded, becomes the change that upstream's maintainer would write.

It runs on a root of its own, an overlay that is thrown away, so that nothing of this machine's
NetworkManager is touched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sample_repositories import BLUETOOTH, git

TOOLS = ("NetworkManager", "nmcli", "dbus-daemon", "ip", "unshare")

# $1: a directory to work in. Others: the command to run on the throwaway root.
ON_A_THROWAWAY_ROOT = r"""
set -e
work=$1; shift
mount -t tmpfs tmpfs "$work/layers"
mkdir "$work/layers/upper" "$work/layers/work" "$work/layers/root"
mount -t overlay overlay "$work/layers/root" \
    -o "lowerdir=/,upperdir=$work/layers/upper,workdir=$work/layers/work"
for directory in /proc /sys /dev "$work" "$CHECKOUT" "$PREFIX" "$BASE_PREFIX"; do
    mkdir -p "$work/layers/root$directory"
    mount --rbind "$directory" "$work/layers/root$directory"
done
mkdir "$work/layers/root/old"
cd "$work/layers/root"
pivot_root . old
cd /
umount -l /old
exec "$@"
"""

SESSION = r"""
set -e
work=$1
rm -rf /var/lib/NetworkManager/* /etc/NetworkManager/system-connections/*
mkdir -p /run/NetworkManager /var/lib/NetworkManager /etc/NetworkManager/system-connections
printf '%s\n' '[main]' plugins=keyfile auth-polkit=false rc-manager=unmanaged dns=none \
    dhcp=internal >"$work/nm.conf"
ip link set lo up
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$work/bus"
dbus-daemon --system --fork --nopidfile --address="$DBUS_SYSTEM_BUS_ADDRESS" \
    --print-pid=3 3>"$work/bus.pid"
"$IMPTRACE" run --service networkmanager -- NetworkManager --no-daemon --config "$work/nm.conf" &
for _ in $(seq 150); do nmcli -t general status >/dev/null 2>&1 && break; sleep 0.2; done
nmcli connection add type wifi con-name secret-cafe ifname wlan0 ssid SecretCafe \
    wifi-sec.key-mgmt wpa-psk wifi-sec.psk secret123
nmcli connection add type bridge con-name br9 ifname br9 ipv4.method manual \
    ipv4.addresses 10.9.9.1/24 ipv6.method disabled bridge.stp no
nmcli connection up br9
nmcli networking off
nmcli networking on
kill $!
wait $! || true
kill "$(cat "$work/bus.pid")"
"""


def on_a_throwaway_root(work: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in namespaces of its own (mounts, network, processes)."""
    (work / "layers").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "CHECKOUT": str(Path(__file__).parents[2]),
        "PREFIX": sys.prefix,
        "BASE_PREFIX": sys.base_prefix,
        "IMPTRACE": str(Path(sys.executable).with_name("imptrace")),
        "IMPTRACE_DB": str(work / "imptrace.db"),
    }
    return subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--propagation",
         "private", "bash", "-c", ON_A_THROWAWAY_ROOT, "bash", str(work), *command],
        capture_output=True, text=True, check=False, env=environment, timeout=180,
    )  # fmt: skip


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Record NetworkManager while connections are made; answer with the database."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    work = tmp_path / "machine"
    work.mkdir()
    if on_a_throwaway_root(work, "true").returncode != 0:
        pytest.skip("no overlay of the root can be mounted here")
    done = on_a_throwaway_root(work, "bash", "-c", SESSION, "bash", str(work))
    assert done.returncode == 0, done.stdout + done.stderr
    return work / "imptrace.db"


@pytest.mark.root
def test_the_change_for_networkmanager(recording: Path, impermanence_repository: Path) -> None:
    """State and connections at their levels, in the neighbours' form, with the evidence."""
    imptrace = Path(sys.executable).with_name("imptrace")
    done = subprocess.run(
        [imptrace, "contribute", "--service", "networkmanager", "--repo", impermanence_repository],
        capture_output=True, text=True, check=False,
        env={**os.environ, "IMPTRACE_DB": str(recording)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    branch = "networkmanager-persistence"
    module = git(
        impermanence_repository, "show", f"{branch}:nixos-modules/networkmanager/persistence.nix"
    )
    head, _, tail = BLUETOOTH.partition("      default = {")
    rest = tail.partition("      };\n")[2]
    assert module.startswith(head.replace("hardware.bluetooth", "networking.networkmanager"))
    assert module.endswith(rest.partition("      '';\n")[2])
    assert ".directories = [\n          # " in module
    assert '"/var/lib/NetworkManager"\n' in module
    assert "secret.directories = [" in module
    assert 'directory = "/etc/NetworkManager/system-connections";\n' in module
    message = git(impermanence_repository, "log", "-1", "--format=%B", branch)
    assert message.startswith("networkmanager: persistence\n\nObserved: NetworkManager 1.")
    assert "- /etc/NetworkManager/system-connections (directory): created" in message
    assert "afe" not in message
    added = git(impermanence_repository, "diff", "--numstat", "main", branch, "--", "flake.nix")
    assert added.split()[:2] == ["2", "0"]
