-- Articles whose title or excerpt has every one of the words, whatever their case and accents; parts of words count.
-- Best first: those with the most words in the title, then the newest. Every title and excerpt is read: there is no
-- index.
-- grain: article
-- call: search(words)
with

wanted as (
    select
        list_filter(
            list_distinct(string_split_regex(lower(strip_accents(words)), '\s+')), lambda word : word <> ''
        ) as words
),

folded as (
    select
        articles.article_id,
        lower(strip_accents(coalesce(articles.title, ''))) as title,
        lower(strip_accents(coalesce(articles.excerpt, ''))) as excerpt
    from coverage.articles
),

found as (
    select
        folded.article_id,
        len(list_filter(wanted.words, lambda word : contains(folded.title, word))) as title_words
    from folded
    cross join wanted
    where
        len(wanted.words) > 0
        and len(
            list_filter(
                wanted.words, lambda word : contains(folded.title, word) or contains(folded.excerpt, word)
            )
        ) = len(wanted.words)
)

select
    articles.title,
    articles.excerpt,
    outlets.name as outlet,
    articles.published_at,
    articles.story_count,
    found.title_words,
    articles.identity_url,
    articles.article_id
from found
inner join coverage.articles
    on found.article_id = articles.article_id
left join coverage.outlets
    on articles.outlet_id = outlets.outlet_id
order by
    found.title_words desc,
    articles.published_at desc,
    articles.article_id asc
