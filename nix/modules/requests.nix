# The option that gathers what all entries ask for. Its definitions are laid side by side as they
# are: merging each of some six hundred values by a type would cost more than the values.
{ lib }:
lib.mkOption {
  type = lib.mkOptionType {
    name = "requests";
    description = "what each catalogue entry asks for";
    merge = _: builtins.foldl' (all: definition: all // definition.value) { };
  };
  default = { };
  internal = true;
  description = "What each catalogue entry asks for: whether it is enabled, and its levels.";
}
