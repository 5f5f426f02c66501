"""Replies as they come: snapshots, validated parts, early stops."""

from typedllm.streaming.parts import Rejected
from typedllm.streaming.snapshots import Event, Snapshot
from typedllm.streaming.stream import AsyncStream, Driver, Stream

__all__ = ["AsyncStream", "Driver", "Event", "Rejected", "Snapshot", "Stream"]
