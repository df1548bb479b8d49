"""From estimates to words, tables and figures, in Italian or English.

The report is a notebook: :mod:`inputs` is what it is given (tables without names or texts), :mod:`findings` computes
every number once (with :mod:`counted`, :mod:`habits`, :mod:`questions` and :mod:`battery`; :mod:`tallies` hides small
counts), :mod:`sections` says them in the words of :mod:`language`, :mod:`figures` draws them, :mod:`kernel` runs the
notebook and :mod:`page` turns what it displayed into one HTML file, which :mod:`pdf` prints. :mod:`card` is the first
screen as one picture. Nothing here reads a message or opens a network connection.
"""
