"""What repositories in both layouts hold, and how to make, look at and propose to them."""

import subprocess
from pathlib import Path

from imptrace.contribute.proposal import Proposal, ProposedPath
from imptrace.facts.levels import Kind, Level
from imptrace.judge.model import Method

FLAKE = """\
{
  description = "Options for keeping state";

  inputs.nixpkgs.url = "github:nixos/nixpkgs/nixos-unstable";

  outputs = {
    self,
    nixpkgs,
  }: {
    # one entry for each directory of nixos-modules/
    nixosModules = rec {
      bluetooth = import ./nixos-modules/bluetooth/persistence.nix;
      environment = import ./nixos-modules/environment/persistence.nix;
      sudo = import ./nixos-modules/sudo/persistence.nix; # lectures
      default = {
        imports = [
          bluetooth
          environment
          sudo # last
        ];
      };
    };
  };
}
"""

ENVIRONMENT = """\
{lib, ...}: {
  options.environment.automaticPersistence = lib.mkOption {
    type = lib.types.attrsOf lib.types.raw;
    default = {};
    description = "Where each level is kept.";
  };
}
"""

BLUETOOTH = """\
{
  config,
  lib,
  ...
}: let
  cfg = config.hardware.bluetooth;
in {
  options = with lib; {
    hardware.bluetooth.persistence = mkOption {
      type = types.attrsOf types.raw;
      default = {
        normal.directories = ["/var/lib/bluetooth"];
      };
      description = ''
        Persist pairings.
      '';
    };
  };

  config = let
    wanted = builtins.intersectAttrs config.environment.automaticPersistence cfg.persistence;
    store = level: config.environment.automaticPersistence.${level}.path;
  in
    lib.mkIf (cfg.enable && wanted != {}) {
      environment.persistence =
        lib.mkMerge
        (lib.mapAttrsToList (level: paths: {${store level} = paths;}) wanted);
    };
}
"""

SUDO = """\
{
  config,
  lib,
  ...
}: let
  cfg = config.security.sudo;
in {
  # sudo has no state but this
  options.security.sudo.persistence = lib.mkOption {
    type = lib.types.attrsOf lib.types.raw;
    default = {
      normal = {
        directories = [
          # who was lectured
          "/etc/db/sudo/lectured" # each user a file
        ];
      };
    };
    description = "Persist who was lectured.";
  };

  config = lib.mkIf cfg.enable {};
}
"""

CATALOGUE_ENTRY = """\
title = "Bluetooth"   # bluez
option = "hardware.bluetooth"
enable = "hardware.bluetooth.enable"

[[persist]]
path = "/var/lib/bluetooth"
level = "normal"      # pairings

# made again by the daemon
[[never]]
path = "/var/lib/bluetooth/cache"
why = "regenerated"
"""

CLOSED_OFF = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.org",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
}


def git(repository: Path, *arguments: str) -> str:
    """Run git as a user would; fail if it does."""
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def make_repository(directory: Path, files: dict[str, str], subjects: tuple[str, ...]) -> Path:
    """Make a repository with one commit for each subject; the first one has the files."""
    directory.mkdir(parents=True)
    git(directory, "init", "--quiet", "--initial-branch=main")
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(content)
    git(directory, "add", "--all")
    for subject in subjects:
        git(directory, "commit", "--quiet", "--allow-empty", "-m", subject)
    return directory


def state(repository: Path) -> str:
    """Everything that must be as before: status, refs, HEAD, reflogs, and every file."""
    files = sorted(
        (str(path.relative_to(repository)), path.read_bytes())
        for path in repository.rglob("*")
        if path.is_file() and not path.is_symlink() and ".git" not in path.parts
    )
    return "\n".join(
        (
            git(repository, "--no-optional-locks", "status", "--porcelain", "--branch"),
            git(repository, "for-each-ref", "--format=%(refname) %(objectname)"),
            git(repository, "rev-parse", "--symbolic-full-name", "HEAD"),
            git(repository, "reflog", "show", "--all"),
            repr(files),
        )
    )


def kept(path: str, level: Level = Level.NORMAL, **changes: object) -> ProposedPath:
    """Make a path to keep: a directory of root's with mode 0755, unless told otherwise."""
    facts: dict[str, object] = {
        "kind": Kind.DIRECTORY,
        "user": "root",
        "group": "root",
        "mode": 0o755,
        "method": Method.BIND,
        "comment": None,
        "reason": "written in 1 run",
    }
    return ProposedPath(path=path, level=level, **{**facts, **changes})


def proposal(
    service: str, option: str, *paths: ProposedPath, enable: str | None = None
) -> Proposal:
    """Make a proposal for a service that is switched on by `enable` (default: OPTION.enable)."""
    switch = f"{option}.enable" if enable is None else enable
    return Proposal(
        service=service,
        title=service.capitalize(),
        option=option,
        enable=(switch,) if switch else (),
        paths=paths,
    )
