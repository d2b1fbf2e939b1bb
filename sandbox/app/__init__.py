"""The shop: the app that is migrated. It stands for a user's own app, and knows nothing of the collection."""
