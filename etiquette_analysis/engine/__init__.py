"""Where labelling runs: in memory, over files with DuckDB, on Spark. All call the one generator in ``stream``."""
