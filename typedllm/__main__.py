"""`python -m typedllm`: the command line."""

from typedllm.cli import main

if __name__ == "__main__":
    main()
