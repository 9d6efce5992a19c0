"""`python -m odia_ocr` is the command."""

from odia_ocr.apps.cli import main

if __name__ == "__main__":
    main()
