"""Worlds with a known truth, to hold an estimate against the answer before it is believed on real data."""

from etiquette_analysis.simulation.dataset import SimulatedDataset, simulate
from etiquette_analysis.simulation.export import write_linkedin
from etiquette_analysis.simulation.worlds import WORLDS, World, true_values

__all__ = ["WORLDS", "SimulatedDataset", "World", "simulate", "true_values", "write_linkedin"]
