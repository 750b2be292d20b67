"""Tables: columns of different kinds, and the encoder that makes numbers of them."""
