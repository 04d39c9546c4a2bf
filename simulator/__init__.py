"""The simulated world: customers, their taste, and what a register's camera sees of them."""
