"""Adding what is to be kept to a user's own configuration, in the style of its neighbours."""
