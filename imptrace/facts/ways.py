"""What keeps a file that no entry of its own can keep: a setting of its program that moves it.

Checked against the programs' manuals and the options of NixOS and home-manager.
"""

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
        "in git: credential.helper = store --file ~/.local/share/git/credentials"
    ),
    b".zshrc": "declare it: programs.zsh of NixOS or home-manager writes it; or ZDOTDIR",
    b".bashrc": "declare it: programs.bash of NixOS or home-manager writes it",
    b".lesshst": "LESSHISTFILE names another place",
    b".python_history": "PYTHON_HISTORY names another place (Python 3.13)",
    b".node_repl_history": "NODE_REPL_HISTORY names another place",
    b".psql_history": "PSQL_HISTORY names another place",
    b".sqlite_history": "SQLITE_HISTORY names another place",
    b".mysql_history": "MYSQL_HISTFILE names another place",
    b".wget-hsts": "in ~/.wgetrc: hsts-file = ~/.local/share/wget/hsts",
    b".npmrc": "NPM_CONFIG_USERCONFIG names another place",
    b".selected_editor": "EDITOR says the same: environment.variables.EDITOR",
    b".Xauthority": "XAUTHORITY names another place; the display manager makes it anew",
}


def way_for(path: bytes) -> str | None:
    """Tell the setting that moves a file into a directory of its own, by the file's name."""
    return _WAYS.get(path.rpartition(b"/")[2])
