"""A folder of pictures, one subfolder a class: found, decoded once with all cores, kept as bytes."""
