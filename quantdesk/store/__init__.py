"""Keep ticks, bars and the ledger; read them back."""
