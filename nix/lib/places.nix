# Where the persistence option of a catalogue entry stands.
let
  inherit (builtins) elemAt head length;

  # Whether one of the names that lead to an option is in the set, from the first on.
  isBelow =
    set: names:
    let
      below =
        at: name: set ? ${name} || (at < length names && below (at + 1) "${name}.${elemAt names at}");
    in
    below 1 (head names);

  # Entries without an option of their own are found beside the levels, and so are those whose
  # option this release has removed, with all that was below it.
  placeOf =
    {
      root,
      removed ? { },
    }:
    entry:
    if entry.option == null || isBelow removed entry.option then
      root
      ++ [
        "entries"
        entry.id
      ]
    else
      entry.option;
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
