"""Better labels than the given ones: what copies, a network and a reviewer say of them."""
