"""The statements behind cases.py. The conversation is locked before its referral, everywhere: no deadlocks."""

from __future__ import annotations

from sqlalchemy import DateTime, Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

LOCK_TALK = text("SELECT mode FROM conversation WHERE id = :conversation FOR UPDATE")
LOCK = text(
    """
    WITH talk AS MATERIALIZED (
        SELECT c.id, c.mode, c.language, c.muted_at IS NOT NULL AS muted FROM conversation c
        WHERE c.id = (SELECT conversation_id FROM referral WHERE key = :key) FOR UPDATE
    )
    SELECT r.id, r.key, r.conversation_id, talk.mode, talk.language, talk.muted, r.team_id, r.coach_id, r.state
    FROM referral r JOIN talk ON talk.id = r.conversation_id WHERE r.key = :key FOR UPDATE OF r
    """
)
OPEN_OF = text("SELECT key FROM referral WHERE conversation_id = :conversation AND state <> 'closed'")
# What the next message is taken for only ends when somebody else talks from now on.
SET_MODE = text(
    "UPDATE conversation SET mode = :mode, awaits = CASE WHEN mode = :mode THEN awaits END WHERE id = :conversation"
).bindparams(bindparam("mode", type_=Text))

_WISH = "topic, language, age_group, area, reach, contact, first_name, guardian, urgent"
INSERT = text(
    f"""
    INSERT INTO referral ({_WISH}, key, conversation_id, team_id, state, consent_at, due_at, person_at)
    VALUES (:topic, :language, :age_group, :area, :reach, :contact, :first_name, :guardian, :urgent,
        :key, :conversation, :team, 'waiting', now(), :due, now())
    """
).bindparams(bindparam("due", type_=DateTime(timezone=True)))
CHANGE = text(
    """
    UPDATE referral SET topic = :topic, language = :language, age_group = :age_group, area = :area, reach = :reach,
        contact = :contact, first_name = :first_name, guardian = :guardian, urgent = urgent OR :urgent, team_id = :team,
        consent_at = now(), person_at = now(), due_at = :due, escalated_at = NULL WHERE key = :key
    """
).bindparams(bindparam("due", type_=DateTime(timezone=True)))

# taken_at stays the first time: it is what people waited for.
SET = text(
    """
    UPDATE referral SET state = :state, coach_id = :coach, team_id = :team, due_at = coalesce(:due, due_at),
        taken_at = CASE WHEN :state = 'taken' THEN coalesce(taken_at, now()) ELSE taken_at END,
        coach_at = CASE WHEN :event IN ('taken', 'passed on', 'reopened') THEN now() ELSE coach_at END,
        escalated_at = CASE WHEN :event = 'overdue' THEN now() WHEN :event IN ('moved', 'returned') THEN NULL
            ELSE escalated_at END,
        reminded_at = CASE WHEN :event = 'silent' THEN now()
            WHEN :event IN ('taken', 'passed on', 'reopened') THEN NULL ELSE reminded_at END,
        snoozed_until = NULL,
        outcome = CASE WHEN :state = 'closed' THEN :outcome END,
        closed_at = CASE WHEN :state = 'closed' THEN now() END
    WHERE id = :id
    """
).bindparams(
    bindparam("due", type_=DateTime(timezone=True)),
    bindparam("coach", type_=Integer),
    bindparam("outcome", type_=Text),
    bindparam("state", type_=Text),
    bindparam("event", type_=Text),
)
WROTE = text("UPDATE referral SET coach_at = now(), reminded_at = NULL WHERE id = :id")
SNOOZE = text("UPDATE referral SET snoozed_until = :until WHERE id = :id").bindparams(
    bindparam("until", type_=DateTime(timezone=True))
)
NOTE = text("INSERT INTO note (referral_id, coach_id, text) VALUES (:id, :coach, :text)")
HEARD = text(
    """
    UPDATE referral SET person_at = now(), snoozed_until = NULL, reminded_at = NULL, urgent = urgent OR :urgent
    WHERE conversation_id = :conversation AND state <> 'closed'
    """
)
RATE = text(
    """
    UPDATE referral SET rated_at = now(), rating = coalesce(:rating, rating),
        rating_text = coalesce(:words, rating_text)
    WHERE key = :key AND conversation_id = :conversation AND state = 'closed'
    """
).bindparams(bindparam("rating", type_=Integer), bindparam("words", type_=Text))
FORGET = text(
    """
    UPDATE referral SET first_name = NULL, contact = NULL, guardian = NULL, reach = NULL, area = NULL,
        rating_text = NULL
    WHERE conversation_id = :conversation
    """
)
FORGET_NOTES = text(
    "UPDATE note SET text = '' WHERE referral_id IN (SELECT id FROM referral WHERE conversation_id = :conversation)"
)
LOG = text(
    "INSERT INTO audit (coach_id, what, referral_id, detail) VALUES (:coach, :what, :referral, :detail)"
).bindparams(bindparam("coach", type_=Integer), bindparam("referral", type_=Integer), bindparam("detail", type_=Text))
TEAM_FOR = text(
    """
    SELECT id FROM team ORDER BY (areas @> jsonb_build_array(cast(:area AS text))) DESC, id LIMIT 1
    """
).bindparams(bindparam("area", type_=Text))
FIRST_TEAM = text(
    """
    INSERT INTO team (name, hours) VALUES ('Coaches', :hours)
    ON CONFLICT (name) DO UPDATE SET name = 'Coaches' RETURNING id
    """
).bindparams(bindparam("hours", type_=JSONB))
TEAM_HOURS = text("SELECT hours, answer_hours FROM team WHERE id = :team")
# How long people waited lately, in hours of the clock; only once there are enough to mean something.
WAITED = text(
    """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM taken_at - created_at) / 3600), count(*)
    FROM (SELECT taken_at, created_at FROM referral WHERE team_id = :team AND taken_at IS NOT NULL
          AND created_at > now() - interval '90 days' ORDER BY id DESC LIMIT 50) AS lately
    """
)

# A browser that lost its connection sends the same request again: it is done once.
ONCE = text("INSERT INTO desk_once (coach_id, key) VALUES (:coach, :key) ON CONFLICT DO NOTHING")
ONCE_WAS = text("SELECT position FROM desk_once WHERE coach_id = :coach AND key = :key")
ONCE_AT = text("UPDATE desk_once SET position = :position WHERE coach_id = :coach AND key = :key")
