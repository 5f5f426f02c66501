"""Replies as models write them, made by seed: types, values of them, ways of writing a value, and ways of breaking it."""
