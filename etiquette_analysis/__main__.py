"""``python -m etiquette_analysis`` is the same as ``etiquette``."""

import sys

from etiquette_analysis.cli import main

if __name__ == "__main__":
    sys.exit(main())
