"""Features, models and what tenants teach them: content classification. Pure; training is in `train/`."""
