-- The structural labels as one window query: an independent oracle at scale (tests), and what the kernel is measured
-- against (benchmarks). Reads the relations messages(message_id, sender, recipient, sent_at, kind, pitch_score,
-- pitch_level) and connections(person_a, person_b, connected_at, resolution); pitch_level is a string.
-- Options stand in $window_days, $gap_hours, $immediate_hours, $threshold and $observed_until.
WITH earliest AS (
  SELECT low, high, first.c AS connected_at, first.d AS by_day
  FROM (
    SELECT least(person_a, person_b) AS low, greatest(person_a, person_b) AS high,
      min({'c': CASE WHEN resolution = 'second' THEN connected_at ELSE date_trunc('day', connected_at) END,
           'd': resolution IS DISTINCT FROM 'second'}) AS first
    FROM connections
    WHERE person_a IS NOT NULL AND person_b IS NOT NULL AND connected_at IS NOT NULL
    GROUP BY 1, 2)
),
paired AS (
  SELECT *, least(sender, recipient) AS low, greatest(sender, recipient) AS high
  FROM messages
  WHERE kind IN ('message', 'invitation', 'inmail') AND sender <> recipient AND sent_at IS NOT NULL
),
dated AS (
  SELECT p.*, by_day,
    epoch_us(sent_at) - epoch_us(connected_at) AS since,
    list_position(['none', 'soft', 'moderate', 'hard'], pitch_level) - 1 AS level
  FROM paired p LEFT JOIN earliest USING (low, high)
),
timed AS (
  SELECT *,
    CASE
      WHEN NOT by_day THEN since
      WHEN kind = 'message' AND since >= 0 THEN greatest(since - 86400000000, 0)
      ELSE since - 86400000000 END AS since_min,
    CASE
      WHEN kind = 'invitation' THEN 0
      WHEN since IS NULL THEN NULL
      WHEN since < 0 THEN 0
      WHEN by_day THEN CASE
        WHEN since // 86400000000 <= ceil($immediate_hours / 24) THEN 1
        WHEN since // 86400000000 <= 7 THEN 2
        WHEN since // 86400000000 <= 30 THEN 3 ELSE 4 END
      WHEN since <= $immediate_hours * 3600000000 THEN 1
      WHEN since <= 7 * 86400000000 THEN 2
      WHEN since <= 30 * 86400000000 THEN 3
      ELSE 4 END AS timing
  FROM dated
),
marked AS (
  SELECT *,
    CASE WHEN lag(sender) OVER dyad IS DISTINCT FROM sender
      OR epoch_us(sent_at) - epoch_us(lag(sent_at) OVER dyad) > $gap_hours * 3600000000
      OR (lag(timing) OVER dyad = 0 AND timing IS DISTINCT FROM 0) THEN 1 ELSE 0 END AS opens
  FROM timed WINDOW dyad AS (PARTITION BY low, high ORDER BY sent_at, message_id)
),
numbered AS (
  SELECT *, sum(opens) OVER dyad AS turn, row_number() OVER dyad AS position
  FROM marked WINDOW dyad AS (PARTITION BY low, high ORDER BY sent_at, message_id ROWS UNBOUNDED PRECEDING)
),
turns AS (
  SELECT low, high, turn, unnest(opening), * EXCLUDE (low, high, turn, opening)
  FROM (
    SELECT low, high, turn,
      arg_min({'sender': sender, 'recipient': recipient, 'first_message_id': message_id, 'since_min': since_min,
               'since_max': since, 'timing': timing, 'kind': kind}, position) AS opening,
      min(sent_at) AS started_at, max(sent_at) AS ended_at, count(*) AS n_messages,
      max(pitch_score) AS pitch_score, max(level) AS level
    FROM numbered GROUP BY low, high, turn)
),
counted AS (
  SELECT *,
    row_number() OVER side - 1 AS sent_before,
    (turn - row_number() OVER side)::BIGINT AS received_before,
    lead(CASE WHEN sender = low THEN started_at END IGNORE NULLS) OVER dyad AS next_low,
    lead(CASE WHEN sender = high THEN started_at END IGNORE NULLS) OVER dyad AS next_high,
    coalesce(timing > 0, false) AS after,
    coalesce(timing > 0 AND level >= $threshold, false) AS pitch
  FROM turns
  WINDOW dyad AS (PARTITION BY low, high ORDER BY turn), side AS (PARTITION BY low, high, sender ORDER BY turn)
),
flagged AS (
  SELECT *,
    epoch_us(CASE WHEN sender = low THEN next_high ELSE next_low END) - epoch_us(started_at) AS wait,
    CASE WHEN received_before = 0 THEN 0 WHEN received_before >= 2 AND sent_before >= 1 THEN 2 ELSE 1 END AS rapport,
    after AND sum(after::INT) OVER side = 1 AS is_approach,
    pitch AND sum(pitch::INT) OVER side = 1 AS is_first_pitch
  FROM counted
  WINDOW side AS (PARTITION BY low, high, sender ORDER BY turn ROWS UNBOUNDED PRECEDING)
)
SELECT
  low || chr(9) || high AS dyad, sender, recipient, started_at, ended_at, first_message_id, n_messages,
  since_min AS since_connection_min, since_max AS since_connection_max,
  ['before', 'immediate', 'first_week', 'first_month', 'later'][timing + 1] AS timing,
  sent_before, received_before, ['none', 'acknowledged', 'exchange'][rapport + 1] AS rapport,
  pitch_score, ['none', 'soft', 'moderate', 'hard'][level + 1] AS pitch_level,
  CASE
    WHEN wait <= $window_days * 86400000000 THEN 'replied'
    WHEN epoch_us(started_at) + $window_days * 86400000000 > $observed_until THEN 'censored'
    ELSE 'no_reply' END AS reply_status,
  wait / 3600000000 AS hours_to_reply,
  is_approach, is_first_pitch,
  is_first_pitch AND timing = 1 AND rapport = 0 AS immediate_pitch,
  kind
FROM flagged
ORDER BY low, high, started_at, first_message_id
