"""GPU stage: concepts -> prompts -> checkpoints -> patched translations."""
