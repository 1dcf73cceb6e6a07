"""Keep a store in a PostgreSQL database, with TimescaleDB where the server has it."""
