-- Every body that may hold links was searched for them: very long ones are not, to keep a refresh from standing still.
-- on: coverage.url_uses
-- severity: warn
-- message: A body is too long to be searched for links
select
    accepted_documents.source,
    accepted_documents.path,
    length(accepted_documents.body) as characters
from forms.body_links
inner join staging.accepted_documents
    on body_links.version_id = accepted_documents.version_id
where not body_links.is_searched
