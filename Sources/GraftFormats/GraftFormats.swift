// Built by its owner.
