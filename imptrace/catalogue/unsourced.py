"""Entries that were written before each had to say how it is known.

No name is ever added; one that gets its `known` is taken away.
"""

_HOME = """
    1password abook aerc arduino aria2 atuin audacity autojump azure-cli baloo base bash
    blender btop cachix calcurse calibre ccache cliphist cmus composer conda copyq
    cpan darktable dbeaver dconf devenv direnv distrobox docker-rootless dolphin-emu
    duplicity easyeffects elinks emacs erlang evolution factorio fcitx5 fetchmail fish
    fontconfig freerdp fuzzel gcloud gdb geany geary gh ghci git gnome gnome-keyring
    gnucash gnupg gvfs haskell-stack helix hexchat home-manager htop hyprland inkscape irb irssi
    isync java jujutsu julia jupyter kdeconnect keepassxc khal kicad kitty krita kwallet lazygit
    leiningen less lf lftp libreoffice libvirt lutris mc mcfly mesa minecraft minisign mix
    moonlight mozc mpd mpv mu mumble musescore nano nautilus neomutt neovim newsboat
    nextcloud-client nheko nix nix-index nixops nixpkgs-review nnn noctalia node npm nss nushell
    nvidia octave offlineimap onlyoffice opam openrgb orcaslicer osu password-store pavucontrol
    plasma platformio prismlauncher protonmail-bridge prusaslicer psql
    pulseaudio python qutebrowser r2modman ranger rbw rclone reaper redis-cli remmina restic
    retroarch rhythmbox rofi sbt screen shotwell sops spotify sqlite ssh starship subversion
    sunshine tealdeer terraform terraria texlive thumbnails tig timewarrior tmux umu unison
    unity-games vdirsyncer vicinae vifm vim virtualbox vlc vscode-server w3m waydroid weechat
    wget wireplumber xfce xournalpp xsession yazi yt-dlp yubico zathura zed zellij znc-home
    zotero zoxide zsh
"""

UNSOURCED = frozenset(f"home/{name}" for name in _HOME.split())
