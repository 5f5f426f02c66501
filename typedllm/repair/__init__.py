"""The bounded loop: yields what is to be done, is sent what came of it, returns a `Result`. No I/O."""

from typedllm.repair.calls import Ask, Call, Check, Loop, Rung, Step, first_request
from typedllm.repair.checking import Judge, Subject, Verdict
from typedllm.repair.loop import loop

__all__ = ["Ask", "Call", "Check", "Judge", "Loop", "Rung", "Step", "Subject", "Verdict", "first_request", "loop"]
