"""Pitch intensity: how strongly a message, by its words alone, pushes the sender's own commercial interest.

None, soft, moderate or hard, as the codebook defines them; timing, rapport and politeness play no part. The scorer
stands behind one small interface, ``score_batch``: texts in, score and level out. Bring another by passing its levels
to ``label_turns`` or ``build_dyads``.
"""

from etiquette_analysis.labels.pitch.explain import Cue, Explanation, explain_pitch
from etiquette_analysis.labels.pitch.scoring import label_pitch, score_batch

__all__ = ["Cue", "Explanation", "explain_pitch", "label_pitch", "score_batch"]
