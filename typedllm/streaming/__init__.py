"""Replies as they come: snapshots, validated parts, early stops."""

from typedllm.streaming.base import Driver
from typedllm.streaming.core import Stopped
from typedllm.streaming.parts import Rejected
from typedllm.streaming.snapshots import Event, Snapshot
from typedllm.streaming.stream import AsyncStream, Stream

__all__ = ["AsyncStream", "Driver", "Event", "Rejected", "Snapshot", "Stopped", "Stream"]
