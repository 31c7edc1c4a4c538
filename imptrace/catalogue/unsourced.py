"""Entries that were written before each had to say how it is known.

No name is ever added; one that gets its `known` is taken away.
"""

_SERVICES = """
    accounts-daemon acme actual adguardhome akkoma alertmanager alloy alsa anki-sync-server
    apache-kafka asusd atd atticd audiobookshelf auditd authelia avahi base bazarr bind bitlbee
    blocky blueman bluetooth bolt bookstack btrfs-scrub buildbot-master caddy calibre-web
    changedetection-io chrony clamav clickhouse cloudflared code-server collectd colord connman
    consul containers coolercontrol coredns cosmic-greeter coturn couchdb cron crowdsec cups
    ddclient deluge dendrite dhcpcd discourse dnsmasq docker dokuwiki dovecot ejabberd
    elasticsearch esphome etcd exim factorio fail2ban firefly-iii firewalld flatpak forgejo
    fprintd freshrss frigate fwupd garage gdm geoclue2 gitea gitlab gitolite gotify gotosocial
    grafana greetd grocy haproxy headscale hedgedoc home-assistant homebox homebridge httpd
    hydra i2pd immich incus influxdb influxdb2 iwd jackett jellyfin jenkins jupyterhub k3s
    kanidm karakeep kavita kea keycloak knot kubernetes kubo lact lanzaboote libvirtd lidarr
    lightdm lighttpd lldap locate logrotate loki lxc machine-id maddy mailman man-db mastodon
    matrix-conduit matrix-synapse mattermost mautrix-telegram mealie mediawiki meilisearch
    memcached microvm minecraft-server minidlna miniflux minio modemmanager mongodb mosquitto
    mpd mullvad-vpn munin murmur music-assistant mysql n8n nats navidrome nebula netbird netbox
    netdata networkmanager nextcloud nfs-server nginx nix nixos-containers nixos-users node-red
    nomad nsd ntfy-sh ntpd nzbget octoprint ollama open-webui opendkim openldap opensearch
    opensnitch openssh openvpn outline paperless peertube photoprism pihole-ftl plex pocket-id
    podman postfix postgresql postgrey power-profiles-daemon powerdns powertop prometheus
    prosody prowlarr qbittorrent rabbitmq radarr radicale readarr redis restic rke2 roundcube
    rspamd rsyslogd rtorrent sabnzbd samba scrutiny sddm searx seerr sonarr sops-nix
    spamassassin squid stalwart step-ca strongswan sudo syncthing sysstat systemd
    systemd-coredump systemd-journald systemd-timesyncd tailscale tandoor-recipes tautulli
    teamspeak3 technitium-dns-server telegraf terraria thermald tlp tor traefik transmission
    udisks2 unbound unifi upower uptime-kuma usbguard vault vaultwarden victoriametrics vikunja
    vnstat waydroid wiki-js wireguard wordpress wpa-supplicant yggdrasil zabbix-server
    zerotierone zfs zigbee2mqtt znc zookeeper
"""

_HOME = """
    1password abook aerc arduino aria2 atuin audacity autojump awscli azure-cli baloo base bash
    blender btop cachix calcurse calibre ccache claws-mail cliphist cmus composer conda copyq
    cpan darktable dbeaver dconf devenv dino direnv distrobox docker-rootless dolphin-emu
    duplicity easyeffects elinks emacs erlang evolution factorio fcitx5 fetchmail filezilla fish
    fontconfig freerdp fuzzel gcloud gdb geany geary gemini-cli gh ghci git gnome gnome-keyring
    gnucash gnupg gvfs haskell-stack helix hexchat home-manager htop hyprland inkscape irb irssi
    isync java jujutsu julia jupyter kdeconnect keepassxc khal kicad kitty krita kwallet lazygit
    leiningen less lf lftp libreoffice libvirt lutris mc mcfly mesa minecraft minisign mix
    moonlight mozc mpd mpv mu mumble musescore nano nautilus neomutt neovim newsboat
    nextcloud-client nheko nix nix-index nixops nixpkgs-review nnn noctalia node npm nss nushell
    nvidia octave offlineimap onlyoffice opam openrgb orcaslicer osu password-store pavucontrol
    pi-coding-agent pidgin plasma platformio prismlauncher protonmail-bridge prusaslicer psql
    pulseaudio python qutebrowser r2modman ranger rbw rclone reaper redis-cli remmina restic
    retroarch rhythmbox rofi sbt screen shotwell sops spotify sqlite ssh starship subversion
    sunshine tealdeer terraform terraria texlive thumbnails tig timewarrior tmux umu unison
    unity-games vdirsyncer vicinae vifm vim virtualbox vlc vscode-server w3m waydroid weechat
    wget wireplumber xfce xournalpp xsession yazi yt-dlp yubico zathura zed zellij znc-home
    zotero zoxide zsh
"""

UNSOURCED = frozenset(
    f"{folder}/{name}"
    for folder, names in (("services", _SERVICES), ("home", _HOME))
    for name in names.split()
)
"""`services/NAME` and `home/NAME`."""
