// entry points follow
