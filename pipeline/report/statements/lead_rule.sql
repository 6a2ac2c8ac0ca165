select
    path,
    title,
    violation,
    heat,
    expected_heat,
    quality,
    related_count,
    top_related_quality
from reports.lead_rule_violations
order by source, path
