"""The flake, the package and the machines that reboot, as far as they go without nixpkgs."""

import ast
import os
import tomllib
from typing import Any

import pytest
from nix_support import NIX, ROOT, evaluate, needs_checkouts, needs_nix, nixpkgs_lib, tools

pytestmark = [needs_nix, pytest.mark.nix]


def test_the_flake_has_no_inputs() -> None:
    """Whoever imports the modules finds nothing new in their lock file."""
    assert not evaluate(f"(import {ROOT}/flake.nix) ? inputs")


def test_the_flake_offers_everything() -> None:
    """The outputs, by the names that flakes give them."""
    outputs = evaluate(
        f"""
        let outputs = (import {ROOT}/flake.nix).outputs {{ self = {{ }}; }};
        in {{
          names = builtins.attrNames outputs;
          systems = builtins.attrNames outputs.packages;
          modules = builtins.attrNames outputs.nixosModules;
          homeModules = builtins.attrNames outputs.homeModules;
        }}
        """
    )

    assert outputs["names"] == [
        "checks",
        "devShells",
        "formatter",
        "homeModules",
        "lib",
        "nixosModules",
        "overlays",
        "packages",
    ]
    assert outputs["systems"] == ["aarch64-linux", "x86_64-linux"]
    assert {"default", "networkmanager", "openssh", "postgresql"} <= set(outputs["modules"])
    assert {"default", "firefox"} <= set(outputs["homeModules"])


def test_without_flakes_there_is_nothing_to_pass() -> None:
    """`import ./nix` is an attribute set, not a function."""
    assert evaluate("builtins.attrNames (import nix)") == ["homeModules", "lib", "nixosModules"]


def test_every_entry_with_state_has_a_module() -> None:
    """One module for each service, by the name of its catalogue file."""
    with_state = {
        path.stem
        for path in (NIX / "services").glob("*.toml")
        if tomllib.loads(path.read_text()).keys() & {"persist", "instance"}
    }

    modules = set(evaluate("builtins.attrNames (import nix).nixosModules"))

    assert modules == with_state - {"machine-id"} | {"default"}


PACKAGE = """
    let
      lib = import {lib};
      named = name: {{ inherit name; interpreter = name; sitePackages = name; }};
      python3Packages = lib.genAttrs [
        "setuptools" "alembic" "jinja2" "python-ptrace" "rich" "sqlalchemy" "textual" "tomlkit"
        "tree-sitter" "typer" "hypothesis" "pytest" "python"
      ] named // {{
        buildPythonApplication = package: package;
        tree-sitter-grammars.tree-sitter-nix = named "tree-sitter-nix";
      }};
      package = import (nix + /dev/package.nix) {{
        inherit lib python3Packages;
        installShellFiles = named "installShellFiles";
        libbpf = named "libbpf";
        linuxHeaders = named "linuxHeaders";
        llvmPackages.clang-unwrapped = named "clang";
      }};
    in {{
      inherit (package) pname version;
      dependencies = map (one: one.name) package.dependencies;
      mainProgram = package.meta.mainProgram;
      description = package.meta.description;
    }}
"""


@needs_checkouts("NIXPKGS_LIB")
def test_the_package_is_what_pyproject_says() -> None:
    """Version and description come from pyproject.toml; the dependencies agree with it."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    package = evaluate(PACKAGE.format(lib=nixpkgs_lib()))

    assert package["version"] == project["version"]
    assert package["description"] == project["description"]
    assert package["dependencies"] == [
        requirement.split(">")[0] for requirement in project["dependencies"]
    ]
    assert package["mainProgram"] in project["scripts"]


@needs_checkouts("NIXPKGS_LIB", "IMPERMANENCE", "PRESERVATION")
@pytest.mark.parametrize("backend", ["impermanence", "preservation"])
def test_the_machine_that_reboots_evaluates(backend: str) -> None:
    """Its script is Python, and its state is in the stores that the script looks into."""
    files = {"impermanence": "nixos.nix", "preservation": "module.nix"}
    module = f"{os.environ[backend.upper()]}/{files[backend]}"
    machine = evaluate(
        f"""
        let
          tools = {tools()};
          vm = import (nix + /tests/vm.nix) {{
            nixosModule = tools.imptrace.nixosModules.default;
            backendModule = {module};
            backend = "{backend}";
          }};
          evaluated = tools.evaluate {{
            beside = [ ];
            imports = [ vm.nodes.machine {{ _module.check = false; }} ];
          }};
        in {{
          inherit (vm) name testScript;
          kept = map (one: "${{one.store}}${{one.path}}")
            evaluated.config.environment.automaticPersistence.kept;
          failed = map (one: one.message)
            (builtins.filter (one: !one.assertion) evaluated.config.assertions);
        }}
        """
    )

    ast.parse(machine["testScript"])
    assert machine["name"] == f"imptrace-{backend}"
    assert machine["failed"] == []
    assert {
        "/persistent/var/lib/NetworkManager",
        "/secret/etc/NetworkManager/system-connections",
        "/secret/etc/ssh/ssh_host_ed25519_key",
        "/persistent/var/lib/postgresql",
        "/persistent/var/lib/logrotate.status",
        "/persistent/etc/machine-id",
    } <= set(machine["kept"])
