# The four persistence levels, lowest first, and the level that each one takes its store from
# where none is given.
{
  names = [
    "transient"
    "normal"
    "important"
    "secret"
  ];

  fallback = {
    normal = "transient";
    important = "normal";
    secret = "normal";
  };
}
