"""Makes ``python -m opsin`` (and so ``torchrun -m opsin``) the command line."""

from opsin.cli import main

main()
