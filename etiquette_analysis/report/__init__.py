"""From estimates to words, tables and figures, in Italian or English.

The report is a notebook: :mod:`inputs` is what it is given (tables without names or texts), :mod:`findings` computes
every number once, :mod:`sections` says them, :mod:`figures` draws them, :mod:`kernel` runs the notebook and
:mod:`page` turns what it displayed into one HTML file. Nothing here reads a message or opens a network connection.
"""
