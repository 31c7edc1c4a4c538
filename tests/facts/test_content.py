"""What the first bytes of files tell: real formats, and text that only looks like a secret."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imptrace.facts import content, credentials
from imptrace.facts.content import HEAD_SIZE, Hint, hint_of
from imptrace.facts.credentials import CREDENTIAL_WORDS


def head_of(path: Path) -> bytes:
    return path.read_bytes()[:HEAD_SIZE]


def test_a_real_sqlite_file_is_recognised(tmp_path: Path) -> None:
    """The commonest database of all."""
    database = tmp_path / "x"
    connection = sqlite3.connect(database)
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    assert hint_of(head_of(database)) is Hint.SQLITE


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
@pytest.mark.parametrize("arguments", [["-t", "ed25519"], ["-t", "rsa", "-m", "PEM"]])
def test_a_real_ssh_key_is_a_secret_and_its_public_half_is_not(
    tmp_path: Path, arguments: list[str]
) -> None:
    """OpenSSH's own format and PEM."""
    key = tmp_path / "k"
    subprocess.run(["ssh-keygen", "-q", "-N", "", *arguments, "-f", key], check=True)
    assert hint_of(head_of(key)) is Hint.PRIVATE_KEY
    assert hint_of(head_of(tmp_path / "k.pub")) is None


@pytest.mark.parametrize(
    ("head", "hint"),
    [
        (b"[wifi-security]\nkey-mgmt=wpa-psk\npsk=secret123\n", Hint.CREDENTIALS),
        (b'network={\n\tssid="Home"\n\tpsk="secret123"\n}\n', Hint.CREDENTIALS),
        (b"github.com:\n    oauth_token: gho_abcdefgh\n", Hint.CREDENTIALS),
        (b"machine example.org login a password b\n", Hint.CREDENTIALS),
        (b"https://alice:tok@example.org\n", Hint.CREDENTIALS),
        (b"== ed25519v1-secret: type0 ==\0\0\0", Hint.PRIVATE_KEY),
        (b"Key: (private-key (rsa (n #00", Hint.PRIVATE_KEY),
        (b"(11:private-key(3:rsa", Hint.PRIVATE_KEY),
        (b"(21:protected-private-key(3:rsa", Hint.PRIVATE_KEY),
        (b"TDB file\n\0\0", Hint.TDB),
        (b"[r]\ntype = sftp\npass = 8f2xYz-12\n", Hint.CREDENTIALS),
        (b"", None),
        (b"# password = hunter2\n", None),
        (b"password_encryption = scram-sha-256\n", None),
        (b"password =\n", None),
        (b"see https://example.org/a:b@c\n", None),
        (b"Tokens are counted.\n", None),
    ],
)
def test_what_text_says(head: bytes, hint: Hint | None) -> None:
    """A password that is set makes a secret; one that is only mentioned does not."""
    assert hint_of(head) is hint


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            b"password|=|:| |\n|\t|TOKEN: |machine x| login y|https://a:b@c|api_key|x_|'|abcd1234|\0"
            b"|# created: x\n|AGE-SECRET-KEY-1|Key: (private-key"
            b"|-----BEGIN RSA PRIVATE KEY-----".split(b"|")
        ),
        max_size=14,
    ).map(lambda parts: b"\n".join([b"", b"".join(parts)]))
)
def test_looking_only_where_a_word_is_finds_all_that_the_patterns_find(head: bytes) -> None:
    """The plain searches that come first make it faster and nothing else."""
    if content._PRIVATE_KEY.search(head):
        expected = Hint.PRIVATE_KEY
    elif b"\0" not in head and credentials.setting().search(head):
        expected = Hint.CREDENTIALS
    else:
        expected = None
    assert hint_of(head) is expected


@pytest.mark.parametrize(
    "text",
    [
        "//registry.example/:_authToken=npm_abcdef123",
        "_auth=dXNlcjpwYXNz",
        'token = {"access_token":"ya29.abc"}',
        "secret_access_key = abcdefgh",
        "aws_secret_access_key = abcdefgh",
        '{"auths":{"r.example":{"auth":"dXNlcjpwYXNz"}}}',
        "    client-key-data: LS0tLS1CRUdJTg==",
        '{"access_token":"x12345"}',
        '{\n "accessToken": "x12345"\n}',
        '{\n "refreshToken": "x12345"\n}',
        '{"claudeAiOauth":{"accessToken":"sk-x"}}',
        "<apikey>abcdefgh</apikey>",
        "<password>abcdefgh</password>",
        '<password type="plain">abcdefgh</password>',
        '<add key="ClearTextPassword" value="abcdefgh" />',
        "<key>AuthToken</key><string>abcdefgh</string>",
        '{"_mySecret":"abcdefgh"}',
        '{"raw_auth": "u:pw"}',
        'WebUI\\Password_PBKDF2="@ByteArray(abc:def)"',
        "ed25519 a_abcd lkjhgfdsaqwertyuiop",
        "db.example:5432:app:alice:s3cret99",
        "alice:$apr1$abcdefgh$0123456789",
        '{"kty":"OKP","crv":"Ed25519","d":"abcdef","x":"ghi"}',
        "hvs.CAESIJabcdef",
        "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
        'export API_KEY="abcd1234"',
        '  "db_password" : "x7!kk"',
        "*:*:*:bob:pw12",
        'secret "3kd9fk39fk39fk39==";',
        "sk_token: gho_abcdefghijklmnopqrstu",
        "rabbitmq.password = guestpw",
        "spring.datasource.password=abcd",
        "password: 'hunter22'",
        "PGPASSWORD=abcd",
        "smtp_pass: abcd1",
        "url = postgres://u:pw12@h/db",
        "token: abcd1234efgh",
        "\tHash = 0123abcd",
        "requirepass hunter2secret",
        "set password hunter2secret",
        "rootpw {SSHA}abcdefghijkl",
        "rocommunity hunter2secret",
        "wep-key0=abcdef0123",
        "default login bob password hunter2",
        "bob:{SHA}abcdefgh",
        "Pass = md5#::#5f4dcc3b5aa765d61d8327deb882cf99##",
        '["stored_key"] = "fb2b1c";',
        'usmUser 1 3 0x80001f "bob" "bob" NULL .1.3.6 0xabcdef .1.3 0x123456',
        "createUser bob SHA hunter2secret AES",
        '<Pass encoding="base64">aHVudGVyMg==</Pass>',
        '<user nick="bob" password="YWJjZGVmZ2g=" version="1">',
        '<add key="ApiKey" value="abcdef0123" />',
        '"rpc-password": "{6e9cc1d0d1be4d7ac8d1ab6a",',
        "dop_v1_abcdef0123456789abcdef0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmno",
        "Authorization: Bearer abcdefghijkl",
        "Authorization: Basic dXNlcjpwYXNz",
        "passwordhash: abcdefgh",
        "session_key=abcdef",
        "masterkey=abcdef0123456789",
        "SECRET_KEY_BASE=abcdef0123",
        "mac_key=abcd1234",
        "mnemonic: " + "abandon " * 11 + "about",
        "[smtp.example]:587 bob:hunter2secret",
        "bob * hunter2secret *",
        ': PSK "hunter2secret"',
        "1 SHA1 HEX:abcdef0123456789",
        '{"crypto":{"cipher":"aes-128-ctr","ciphertext":"abcdef01"}}',
        "# Netscape HTTP Cookie File",
        "remote: https://bob:hunter2@example.org/x.git",
        "app_password=abcd efgh ijkl mnop",
        '"client_secret":"abcdef0123"',
        "npmAuthToken: abcdef",
        '"bob" * "hunter2secret"',
    ],
)
def test_usual_notations_of_secrets(text: str) -> None:
    """Of package managers, clouds, containers, mail, databases, and of JSON, XML and INI."""
    assert hint_of(text.encode() + b"\n") is Hint.CREDENTIALS


@pytest.mark.parametrize(
    "text",
    [
        "ftpfs_password=anonymous@",
        "remember_password = true",
        "token_type: bearer",
        "max_token: 4096",
        "tokenizer = word",
        "# password = hunter2",
        "password_encryption = scram-sha-256",
        "see https://example.org/a:b@c",
        '"tokenColors": [{"a":1}]',
        '"semanticToken": true',
        "auth = required",
        "auth: plain",
        "authentication: password",
        "root:x:0:0:root:/root:/bin/sh",
        "key-mgmt=wpa-psk",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI a@b",
        "HashKnownHosts yes",
        "keyboard-layout=us",
        "passwordauthentication yes",
        '{"hash":"sha256-abc"}',
        "monkey: banana",
        "author=Alice B",
        "Secret: {",
        "passive=true",
        "compass = north",
        "http://a/b",
        "show_password = enabled",
        "save-password: 1",
        "password_command = pass show x",
        "password-min-length = 12345678901",
        "primary_key = id",
        "sort_key = name_desc",
        "<password></password>",
        "password required",
        "password sufficient pam_unix.so",
        "community edition",
        "0 * 1 * * backup",
        "5 * 0,12,18 * * job",
        "commit hash: abcdef0123",
        "x.example:80:a:b",
        "12:30:45:67:89",
        "secret = false",
        "session_key_lifetime = 20",
        "server 10.0.0.1 key 12",
    ],
)
def test_text_that_only_speaks_of_secrets(text: str) -> None:
    """Settings about passwords, and words that begin or end alike."""
    assert hint_of(text.encode() + b"\n") is None


def test_a_line_that_begins_with_a_dollar_sign_is_read_once() -> None:
    """A search word with the end of a line in it would be found in the same place for ever."""
    assert not [word for word in CREDENTIAL_WORDS if b"\n" in word]
    assert hint_of(b"$ModLoad imuxsock\n\n$Umask 0022\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "$dynamic_0$5f4dcc3b5aa765d61d8327deb882cf99:password",
        "APP_KEY=base64:kjhkjhkjhkjhkjhkjhkjhkj=",
        "rpcpassword=abcdefgh1234",
        "ldap_bind_pw = abcd1234",
        "bindpw secretpw12",
        "user bob password abcd1234",
        '<string name="token">abcdef123456</string>',
        "<key>Password</key>\n<string>abcd1234</string>",
        "password=ENC(abcdefgh1234)",
        "[crypt]\ncipher = aes256",
    ],
)
def test_less_usual_notations(text: str) -> None:
    """Compound words, dumps of XML settings, what a tool encrypted in place."""
    assert hint_of(text.encode() + b"\n") is Hint.CREDENTIALS
