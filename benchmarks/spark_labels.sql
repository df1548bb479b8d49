-- The structural labels as hand-written Spark SQL: what the Spark engine is measured against (spark_cluster.py), written
-- as tests/engine/oracle.sql is for DuckDB. Reads the views messages(message_id, sender, recipient, sent_at, kind,
-- pitch_score, pitch_level) and connections(person_a, person_b, connected_at, resolution); the session is in UTC.
-- The defaults of LabelOptions stand as numbers: 14 days, gaps of 24 hours, immediate up to 24 hours, moderate or more.
WITH earliest AS (
  SELECT low, high, first.c AS connected_at, first.d AS by_day
  FROM (
    SELECT least(person_a, person_b) AS low, greatest(person_a, person_b) AS high,
      min(struct(unix_micros(IF(resolution <=> 'second', connected_at, date_trunc('DAY', connected_at))) AS c,
                 NOT resolution <=> 'second' AS d)) AS first
    FROM connections
    WHERE person_a IS NOT NULL AND person_b IS NOT NULL AND connected_at IS NOT NULL
    GROUP BY 1, 2)
),
paired AS (
  SELECT message_id, sender, recipient, unix_micros(sent_at) AS sent, coalesce(kind, 'message') AS kind, pitch_score,
    array_position(array('none', 'soft', 'moderate', 'hard'), pitch_level) - 1 AS level,
    least(sender, recipient) AS low, greatest(sender, recipient) AS high
  FROM messages
  WHERE coalesce(kind, 'message') IN ('message', 'invitation', 'inmail') AND sender <> recipient
    AND sent_at IS NOT NULL
),
dated AS (
  SELECT p.*, by_day, sent - connected_at AS since FROM paired p LEFT JOIN earliest USING (low, high)
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
        WHEN since div 86400000000 <= 1 THEN 1
        WHEN since div 86400000000 <= 7 THEN 2
        WHEN since div 86400000000 <= 30 THEN 3 ELSE 4 END
      WHEN since <= 86400000000 THEN 1
      WHEN since <= 7 * 86400000000 THEN 2
      WHEN since <= 30 * 86400000000 THEN 3
      ELSE 4 END AS timing
  FROM dated
),
marked AS (
  SELECT *,
    CASE WHEN NOT lag(sender) OVER dyad <=> sender
      OR sent - lag(sent) OVER dyad > 86400000000
      OR (lag(timing) OVER dyad = 0 AND NOT timing <=> 0) THEN 1 ELSE 0 END AS opens
  FROM timed WINDOW dyad AS (PARTITION BY low, high ORDER BY sent, message_id)
),
numbered AS (
  SELECT *,
    sum(opens) OVER (PARTITION BY low, high ORDER BY sent, message_id ROWS UNBOUNDED PRECEDING) AS turn
  FROM marked
),
turns AS (
  SELECT low, high, turn, opening.*, started, ended, n_messages, pitch_score, level
  FROM (
    SELECT low, high, turn,
      min(struct(sent, message_id AS first_message_id, sender, recipient, since_min, since AS since_max, timing, kind))
        AS opening,
      min(sent) AS started, max(sent) AS ended, count(*) AS n_messages,
      max(pitch_score) AS pitch_score, max(level) AS level
    FROM numbered GROUP BY low, high, turn)
),
counted AS (
  SELECT *,
    row_number() OVER side - 1 AS sent_before,
    turn - row_number() OVER side AS received_before,
    lead(IF(sender = low, started, NULL)) IGNORE NULLS OVER dyad AS next_low,
    lead(IF(sender = high, started, NULL)) IGNORE NULLS OVER dyad AS next_high,
    coalesce(timing > 0, false) AS after,
    coalesce(timing > 0 AND level >= 2, false) AS pitch
  FROM turns
  WINDOW dyad AS (PARTITION BY low, high ORDER BY turn), side AS (PARTITION BY low, high, sender ORDER BY turn)
),
flagged AS (
  SELECT *,
    IF(sender = low, next_high, next_low) - started AS wait,
    CASE WHEN received_before = 0 THEN 0 WHEN received_before >= 2 AND sent_before >= 1 THEN 2 ELSE 1 END AS rapport,
    after AND sum(CAST(after AS INT)) OVER side = 1 AS is_approach,
    pitch AND sum(CAST(pitch AS INT)) OVER side = 1 AS is_first_pitch
  FROM counted
  WINDOW side AS (PARTITION BY low, high, sender ORDER BY turn ROWS UNBOUNDED PRECEDING)
)
SELECT
  low || chr(9) || high AS dyad, sender, recipient, timestamp_micros(started) AS started_at,
  timestamp_micros(ended) AS ended_at, first_message_id, n_messages,
  since_min AS since_connection_min, since_max AS since_connection_max,
  element_at(array('before', 'immediate', 'first_week', 'first_month', 'later'), timing + 1) AS timing,
  CAST(sent_before AS BIGINT) AS sent_before, CAST(received_before AS BIGINT) AS received_before,
  element_at(array('none', 'acknowledged', 'exchange'), rapport + 1) AS rapport,
  pitch_score, element_at(array('none', 'soft', 'moderate', 'hard'), CAST(level AS INT) + 1) AS pitch_level,
  CASE
    WHEN wait <= 14 * 86400000000 THEN 'replied'
    WHEN started + 14 * 86400000000 > :observed_until THEN 'censored'
    ELSE 'no_reply' END AS reply_status,
  wait / 3600000000 AS hours_to_reply,
  is_approach, is_first_pitch,
  is_first_pitch AND timing <=> 1 AND rapport = 0 AS immediate_pitch,
  kind
FROM flagged
