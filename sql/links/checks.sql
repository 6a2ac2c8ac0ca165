-- The observations of the last nights (`links.checks_kept_nights`), one request or settled URL each; the log keeps all
-- of them. Made night by night.
-- grain: one observation
-- key: check_id
select
    link_checks.check_id,
    link_checks.url_id,
    link_checks.night,
    link_checks.kind,
    link_checks.client,
    link_checks.hop,
    link_checks.attempt,
    link_checks.request_url,
    link_checks.method,
    link_checks.started_at,
    link_checks.http_status,
    link_checks.error_class,
    link_checks.error_detail,
    link_checks.ip,
    link_checks.http_version,
    link_checks.redirect_to,
    link_checks.retry_after_seconds,
    link_checks.content_type,
    link_checks.bytes_read,
    link_checks.fingerprint,
    link_checks.title,
    link_checks.challenge,
    link_checks.total_ms,
    link_checks.snapshot_url,
    link_checks.snapshot_at,
    link_checks.refresh_id
from log.link_checks
