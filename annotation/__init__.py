"""People: translations -> blinded items -> Label Studio -> judgements."""
