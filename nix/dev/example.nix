{
  # Where what the enabled services keep is kept: levels normal, important and secret.
  environment.automaticPersistence.normal.path = "/persistence";

  # Do not keep /etc/machine-id.
  environment.machineId.persistence = { };

  # All of NetworkManager's state at level normal, its passwords too.
  networking.networkmanager = {
    enable = true;
    persistence.normal.directories = [
      "/etc/NetworkManager/system-connections"
      "/var/lib/NetworkManager"
    ];
  };

  # The usual options of impermanence work as before.
  environment.persistence."/persistent" = {
    hideMounts = true;
    directories = [ "/var/log" ];
  };
}
