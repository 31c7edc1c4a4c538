# Where the persistence option of a catalogue entry stands.
let
  inherit (builtins)
    any
    genList
    length
    ;

  isAtOrBelow =
    place: above:
    let
      count = length above;
    in
    length place >= count && genList (builtins.elemAt place) count == above;

  # Entries without an option of their own are found beside the levels, and so are those whose
  # option this release has removed, with all that was below it.
  placeOf =
    {
      root,
      removed ? [ ],
    }:
    entry:
    if entry.option == null || any (isAtOrBelow entry.option) removed then
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
