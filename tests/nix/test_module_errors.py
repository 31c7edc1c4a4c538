"""What a NixOS user reads after a mistake in a persistence option."""

import pytest
from nix_support import needs_checkouts, needs_nix, nix_instantiate, tools

pytestmark = [needs_nix, pytest.mark.nix, needs_checkouts("NIXPKGS_LIB", "IMPERMANENCE")]


def error_of(definition: str) -> str:
    """Evaluate a system with this definition, which must fail; give the message."""
    result = nix_instantiate(
        "-E",
        f"""
        let tools = {tools()}; in
        (tools.evaluate {{
          modules = [ {{
            networking.networkmanager.enable = true;
            security.sudo.enable = true;
            environment.automaticPersistence.normal.path = "/persistent";
            {definition}
          }} ];
        }}).config.environment.automaticPersistence.kept
        """,
    )
    assert result.returncode != 0, result.stdout
    return result.stderr


@pytest.mark.parametrize(
    ("definition", "named"),
    [
        (
            'networking.networkmanager.persistence.normal.directorys = [ "/x" ];',
            "networking.networkmanager.persistence.normal.directorys' does not exist",
        ),
        (
            'networking.networkmanager.persistence.nromal.directories = [ "/x" ];',
            "networking.networkmanager.persistence.nromal' does not exist",
        ),
        (
            'services.no-such-service.persistence.normal.directories = [ "/x" ];',
            "services.no-such-service' does not exist",
        ),
        (
            'environment.automaticPersistence.norml.path = "/x";',
            "environment.automaticPersistence.norml' does not exist",
        ),
    ],
)
def test_a_typo_names_the_option(definition: str, named: str) -> None:
    """A level, list or service that does not exist is an error, as everywhere in NixOS."""
    assert named in error_of(definition)


@pytest.mark.parametrize(
    ("definition", "option", "wanted"),
    [
        (
            'networking.networkmanager.persistence.normal.directories = [ "relative" ];',
            "networking.networkmanager.persistence.normal.directories",
            "absolute path",
        ),
        (
            'security.sudo.persistence.normal.directories = [ { directory = "/x"; mode = "x"; } ];',
            "mode",
            "octal file mode",
        ),
        (
            'security.sudo.persistence.secret.files = [ { file = "/x"; method = "move"; } ];',
            "method",
            '"auto", "symlink", "copy"',
        ),
        (
            'environment.automaticPersistence.secret.path = "persistent";',
            "environment.automaticPersistence.secret.path",
            "absolute path",
        ),
    ],
)
def test_a_wrong_value_names_the_option_and_what_it_takes(
    definition: str, option: str, wanted: str
) -> None:
    """Options are typed: the message says which one, and what it wants."""
    message = error_of(definition)

    assert option in message
    assert wanted in message
