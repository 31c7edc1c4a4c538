"""What keeps a file that no entry of its own can keep: a setting of its program that moves it.

Those of bash, git, less, node, npm, sqlite3, vim and wget were tried with the programs themselves;
those of mysql, psql, Python, xauth and Debian's select-editor were read in their manuals or source,
and zsh's and home-manager's options in home-manager's modules.
"""

_THERE = ", in a directory that is there"
"""None of them makes it."""
_WAYS = {
    b".zsh_history": (
        "HISTFILE names another place, in home-manager programs.zsh.history.path = "
        '"$HOME/.local/state/zsh/history"'
    ),
    b".zhistory": "HISTFILE names another place, in home-manager programs.zsh.history.path",
    b".bash_history": (
        "HISTFILE names another place, in home-manager programs.bash.historyFile; bash also "
        "follows a symbolic link"
    ),
    b".viminfo": "in vim: set viminfofile=~/.local/state/vim/viminfo",
    b".gitconfig": (
        "git writes ~/.config/git/config where that is and ~/.gitconfig is not: move it there; "
        "in home-manager programs.git"
    ),
    b".git-credentials": (
        "git writes ~/.config/git/credentials where that is and ~/.git-credentials is not; or "
        "credential.helper = store --file ~/.local/share/git/credentials"
    ),
    b".zshrc": "declare it: programs.zsh of NixOS or home-manager writes it; or ZDOTDIR",
    b".bashrc": "declare it: programs.bash of NixOS or home-manager writes it",
    b".lesshst": "LESSHISTFILE names another place" + _THERE,
    b".python_history": "PYTHON_HISTORY names another place" + _THERE + " (Python 3.13)",
    b".node_repl_history": "NODE_REPL_HISTORY names another place" + _THERE,
    b".psql_history": "PSQL_HISTORY names another place" + _THERE,
    b".sqlite_history": "SQLITE_HISTORY names another place" + _THERE,
    b".mysql_history": "MYSQL_HISTFILE names another place" + _THERE,
    b".wget-hsts": "in ~/.wgetrc: hsts-file = ~/.local/share/wget/hsts",
    b".npmrc": "NPM_CONFIG_USERCONFIG names another place",
    b".selected_editor": "EDITOR goes before it: environment.variables.EDITOR",
    b"containers/auth.json": (
        "REGISTRY_AUTH_FILE names another place to podman, buildah and skopeo" + _THERE
    ),
    b".fossil": "FOSSIL_HOME names another directory" + _THERE,
    b".rediscli_history": "REDISCLI_HISTFILE names another place" + _THERE,
    b".claude.json": "CLAUDE_CONFIG_DIR names the directory that it lies in",
    b"mimeapps.list": "declare it: xdg.mimeApps of home-manager or xdg.mime of NixOS writes it",
    b"user-dirs.dirs": "declare it: xdg.userDirs of home-manager writes it",
    b".Xauthority": "XAUTHORITY names another place; the display manager makes it anew",
}


def way_for(path: bytes) -> str | None:
    """Tell the setting that moves a file into a directory of its own, by the file's name."""
    *_, parent, name = (b"", *path.split(b"/"))
    return _WAYS.get(name) or _WAYS.get(parent + b"/" + name)
