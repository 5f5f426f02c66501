"""Typed output from language models."""
