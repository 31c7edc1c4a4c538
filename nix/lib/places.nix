# Where the persistence option of a catalogue entry stands.
let
  # Entries without an option of their own are found beside the levels.
  placeOf =
    root: entry: if entry.option != null then entry.option else root ++ [ "entries" entry.id ];
in
{
  inherit placeOf;
  system = [
    "environment"
    "automaticPersistence"
  ];
  home = [
    "home"
    "automaticPersistence"
  ];
}
