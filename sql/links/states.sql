-- What is known of each link over all nights: three strikes, at least three nights apart, make it dead, one good night
-- alive (docs/links.md), and the best replacement for one that needs it. Folded night by night: the record after the
-- last closed night is kept, and tonight's verdicts are laid upon it.
-- grain: URL
-- key: url_id
select
    link_states.url_id,
    link_states.state,
    link_states.strikes,
    link_states.last_strike,
    link_states.last_verdict,
    link_states.last_night,
    link_states.first_alive,
    link_states.last_alive,
    link_states.first_failed,
    link_states.died,
    link_states.death,
    link_states.revived,
    link_states.flaps,
    link_states.nights_judged,
    link_states.good_nights,
    link_states.last_asked,
    remedies.replacement as remedy
from staging.link_states
left join links.remedies
    on
        link_states.url_id = remedies.url_id
        and remedies.rank = 1
