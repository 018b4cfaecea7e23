"""Pages that show what a training and its adapter are worth, without anything but Python."""
